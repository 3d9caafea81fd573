package io.hookmq;

import java.util.List;
import java.util.Map;

/** @param properties as in {@link ConnectInfo} */
public record UnsubscribeRequest(ClientInfo client, List<String> filters, Map<String, Object> properties) {}
