package io.hookmq;

import java.util.List;
import java.util.Map;

/** @param properties as in {@link ConnectInfo} */
public record SubscribeRequest(ClientInfo client, List<Subscription> subscriptions, Map<String, Object> properties) {}
