package io.hookmq;

import java.util.List;

/**
 * What MQTT 5 puts beside a payload. What is not set is null.
 *
 * @param messageExpiryInterval seconds
 * @param payloadFormatIndicator 1: the payload is UTF-8
 * @param userProperties in the order of the packet
 */
public record MessageProperties(
        String contentType,
        String responseTopic,
        byte[] correlationData,
        Long messageExpiryInterval,
        Integer payloadFormatIndicator,
        List<UserProperty> userProperties) {
    public static final MessageProperties NONE = new MessageProperties(null, null, null, null, null, List.of());

    public MessageProperties withContentType(String contentType) {
        return new MessageProperties(
                contentType, responseTopic, correlationData, messageExpiryInterval, payloadFormatIndicator, userProperties);
    }

    public MessageProperties withResponseTopic(String responseTopic) {
        return new MessageProperties(
                contentType, responseTopic, correlationData, messageExpiryInterval, payloadFormatIndicator, userProperties);
    }

    public MessageProperties withCorrelationData(byte[] correlationData) {
        return new MessageProperties(
                contentType, responseTopic, correlationData, messageExpiryInterval, payloadFormatIndicator, userProperties);
    }

    public MessageProperties withMessageExpiryInterval(Long messageExpiryInterval) {
        return new MessageProperties(
                contentType, responseTopic, correlationData, messageExpiryInterval, payloadFormatIndicator, userProperties);
    }

    public MessageProperties withPayloadFormatIndicator(Integer payloadFormatIndicator) {
        return new MessageProperties(
                contentType, responseTopic, correlationData, messageExpiryInterval, payloadFormatIndicator, userProperties);
    }

    public MessageProperties withUserProperties(List<UserProperty> userProperties) {
        return new MessageProperties(
                contentType, responseTopic, correlationData, messageExpiryInterval, payloadFormatIndicator, List.copyOf(userProperties));
    }
}
