package io.hookmq;

/** A message on its way to a subscriber. */
public record Delivered(ClientInfo client, Message message) {}
