package io.hookmq;

/** @param reason `normal`, `tcp_closed`, `kicked`, `expired`, or the name of a reason code */
public record Terminated(ClientInfo client, String reason) {}
