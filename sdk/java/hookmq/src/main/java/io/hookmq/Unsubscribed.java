package io.hookmq;

public record Unsubscribed(ClientInfo client, String filter) {}
