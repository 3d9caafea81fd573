package io.hookmq;

/**
 * A message that went nowhere.
 *
 * @param reason `no_subscribers`, `packet_identifier_inuse`, `receive_maximum_exceeded`
 */
public record Dropped(Message message, String reason) {}
