package io.emqx.extension.handler.codec;

/** A client as the broker knows it. What is not set is null. */
public class ClientInfo implements HandlerParameter {
    public final String node;
    public final String clientId;
    public final String userName;
    public final String password;
    public final String peerHost;
    public final int sockPort;
    public final String protocol;
    public final String mountPoint;
    public final boolean isSuperUser;
    public final boolean anonymous;

    public ClientInfo(
            String node,
            String clientId,
            String userName,
            String password,
            String peerHost,
            int sockPort,
            String protocol,
            String mountPoint,
            boolean isSuperUser,
            boolean anonymous) {
        this.node = node;
        this.clientId = clientId;
        this.userName = userName;
        this.password = password;
        this.peerHost = peerHost;
        this.sockPort = sockPort;
        this.protocol = protocol;
        this.mountPoint = mountPoint;
        this.isSuperUser = isSuperUser;
        this.anonymous = anonymous;
    }

    /** All fields, as the handlers of earlier brokers print them; so the password is among them. */
    @Override
    public String toString() {
        return "ClientInfo (node=" + node + ", clientId=" + clientId + ", userName=" + userName + ", password=" + password
                + ", peerHost=" + peerHost + ", sockPort=" + sockPort + ", protocol=" + protocol + ", mountPoint="
                + mountPoint + ", isSuperUser=" + isSuperUser + ", anonymous=" + anonymous + ")";
    }
}
