package io.hookmq;

/**
 * A message that is not sent to this subscriber.
 *
 * @param reason `no_local`, `queue_full`, `qos0_msg`, `expired`, `too_large`, `hook`
 */
public record DeliveryDropped(ClientInfo client, Message message, String reason) {}
