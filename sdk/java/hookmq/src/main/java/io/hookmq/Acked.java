package io.hookmq;

/** A subscriber has acknowledged a message. */
public record Acked(ClientInfo client, Message message) {}
