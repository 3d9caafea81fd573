package io.hookmq;

import java.util.Map;

/**
 * A client as the broker knows it.
 *
 * @param username null when there is none
 * @param protocol `mqtt`, or the gateway that the client came through: `stomp`, `coap` …
 * @param protocolVersion 3, 4 (MQTT 3.1.1) or 5
 * @param mountpoint what the listener puts before the topics of this client; empty for nothing
 * @param anonymous nobody vouched for it
 * @param commonName of the TLS client certificate; null without one
 * @param subject of the TLS client certificate; null without one
 * @param attributes set by those who authenticated it
 * @param node of the broker
 */
public record ClientInfo(
        String clientId,
        String username,
        String protocol,
        int protocolVersion,
        String peerHost,
        int peerPort,
        int socketPort,
        String mountpoint,
        boolean superuser,
        boolean anonymous,
        String commonName,
        String subject,
        Map<String, String> attributes,
        String node) {
    /** For tests: a client of MQTT 5 from the loopback address. */
    public static ClientInfo of(String clientId, String username) {
        return new ClientInfo(clientId, username, "mqtt", 5, "127.0.0.1", 50000, 1883, "", false, username == null, null, null, Map.of(), "test");
    }
}
