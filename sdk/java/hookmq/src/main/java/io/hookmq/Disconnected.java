package io.hookmq;

/** @param reason `normal`, `tcp_closed`, `keepalive_timeout`, `takenover`, `kicked`, or the name of a reason code */
public record Disconnected(ClientInfo client, String reason) {}
