package io.hookmq;

import java.nio.charset.StandardCharsets;

/**
 * A client that wants to come in.
 *
 * @param password what CONNECT carried; null without one. It is here and nowhere else
 * @param authenticationMethod of MQTT 5; null without one
 * @param authenticationData of MQTT 5; null without any
 * @param allowed what earlier hooks have decided
 */
public record Credentials(ClientInfo client, byte[] password, String authenticationMethod, byte[] authenticationData, boolean allowed) {
    public String clientId() {
        return client.clientId();
    }

    public String username() {
        return client.username();
    }

    /** The password as UTF-8; null without one. */
    public String passwordText() {
        return password == null ? null : new String(password, StandardCharsets.UTF_8);
    }

    /** A password is never printed. */
    @Override
    public String toString() {
        return "Credentials[client=" + client + "]";
    }

    /** For tests. */
    public static Credentials of(String clientId, String username, String password) {
        byte[] bytes = password == null ? null : password.getBytes(StandardCharsets.UTF_8);
        return new Credentials(ClientInfo.of(clientId, username), bytes, null, null, false);
    }
}
