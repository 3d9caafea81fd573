package io.emqx.extension.handler.codec;

/** A connection as its CONNECT describes it. What is not set is null. */
public class ConnInfo implements HandlerParameter {
    public final String node;
    public final String clientId;
    public final String userName;
    public final String peerHost;
    public final int sockPort;
    public final String protoName;
    /** 3, 4 or 5. */
    public final int protoVersion;
    /** Seconds. */
    public final int keepalive;

    public ConnInfo(
            String node,
            String clientId,
            String userName,
            String peerHost,
            int sockPort,
            String protoName,
            int protoVersion,
            int keepalive) {
        this.node = node;
        this.clientId = clientId;
        this.userName = userName;
        this.peerHost = peerHost;
        this.sockPort = sockPort;
        this.protoName = protoName;
        this.protoVersion = protoVersion;
        this.keepalive = keepalive;
    }

    @Override
    public String toString() {
        return "ConnInfo (node=" + node + ", clientId=" + clientId + ", userName=" + userName + ", peerHost=" + peerHost
                + ", sockPort=" + sockPort + ", protoName=" + protoName + ", protoVersion=" + protoVersion
                + ", keepalive=" + keepalive + ")";
    }
}
