package io.hookmq;

import java.nio.charset.StandardCharsets;

/**
 * A message inside the broker. `message.withPayload("new")` is a changed copy, and a verdict: go on with it.
 *
 * @param id 32 upper-case hexadecimal digits, unique, sortable by time
 * @param payload not to be changed in place
 * @param from client id of the publisher; a bare name for messages that the broker makes
 * @param timestamp when the broker accepted it, milliseconds since the epoch
 * @param username of the publisher; null when it has none
 * @param protocol `mqtt`, `stomp` …; null for messages that the broker makes
 * @param peerHost IP address of the publisher; null when there is none
 * @param node of the broker
 */
public record Message(
        String id,
        String topic,
        byte[] payload,
        int qos,
        boolean retain,
        boolean duplicate,
        String from,
        long timestamp,
        String username,
        String protocol,
        String peerHost,
        String node,
        MessageProperties properties)
        implements PublishVerdict.Changed {

    /** For tests: with defaults for the rest. */
    public static Message of(String topic, String payload) {
        return new Message(
                "00000000000000000000000000000000",
                topic,
                payload.getBytes(StandardCharsets.UTF_8),
                0,
                false,
                false,
                "test",
                0,
                null,
                "mqtt",
                "127.0.0.1",
                "test",
                MessageProperties.NONE);
    }

    /** The payload as UTF-8; what is not UTF-8 shows as U+FFFD. */
    public String text() {
        return new String(payload, StandardCharsets.UTF_8);
    }

    public Message withTopic(String topic) {
        if (topic.isEmpty() || topic.contains("+") || topic.contains("#"))
            throw new IllegalArgumentException("a topic name has at least one character and no wildcards: '" + topic + "'");
        return new Message(id, topic, payload, qos, retain, duplicate, from, timestamp, username, protocol, peerHost, node, properties);
    }

    public Message withPayload(byte[] payload) {
        if (payload == null) throw new NullPointerException("payload");
        return new Message(id, topic, payload, qos, retain, duplicate, from, timestamp, username, protocol, peerHost, node, properties);
    }

    /** The text as UTF-8. */
    public Message withPayload(String payload) {
        return withPayload(payload.getBytes(StandardCharsets.UTF_8));
    }

    public Message withQos(int qos) {
        if (qos < 0 || qos > 2) throw new IllegalArgumentException("a QoS is 0, 1 or 2, not " + qos);
        return new Message(id, topic, payload, qos, retain, duplicate, from, timestamp, username, protocol, peerHost, node, properties);
    }

    public Message withRetain(boolean retain) {
        return new Message(id, topic, payload, qos, retain, duplicate, from, timestamp, username, protocol, peerHost, node, properties);
    }

    public Message withProperties(MessageProperties properties) {
        if (properties == null) throw new NullPointerException("properties");
        return new Message(id, topic, payload, qos, retain, duplicate, from, timestamp, username, protocol, peerHost, node, properties);
    }

    /** Without the payload, which may be long or private. */
    @Override
    public String toString() {
        return "Message[topic=" + topic + ", payload=" + payload.length + " bytes, qos=" + qos + ", retain=" + retain + ", from=" + from
                + ", id=" + id + "]";
    }
}
