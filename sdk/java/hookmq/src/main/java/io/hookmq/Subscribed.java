package io.hookmq;

/** @param isNew false when the client had subscribed to this filter before */
public record Subscribed(ClientInfo client, Subscription subscription, boolean isNew) {}
