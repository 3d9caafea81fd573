package io.hookmq;

import java.util.Map;

/**
 * A connection as its CONNECT describes it, before any check.
 *
 * @param clientId empty when the client asks the broker to choose one
 * @param username null when there is none
 * @param peerHost IP address of the client
 * @param socketPort port of the listener
 * @param protocolName `MQTT`, or `MQIsdp` for MQTT 3.1
 * @param protocolVersion 3, 4 (MQTT 3.1.1) or 5
 * @param keepAlive seconds, as the client asked for
 * @param properties of MQTT 5, by their names in the specification: `Session-Expiry-Interval`; numbers as Integer or Long, texts as String, bytes as byte[],
 *     `User-Property` as a list of {@link UserProperty}
 */
public record ConnectInfo(
        String clientId,
        String username,
        String peerHost,
        int peerPort,
        int socketPort,
        String protocolName,
        int protocolVersion,
        boolean cleanStart,
        int keepAlive,
        Map<String, Object> properties) {}
