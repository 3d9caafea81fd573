package io.hookmq;

/**
 * One filter, with its options.
 *
 * @param filter with its `$share/group/` prefix
 * @param retainHandling 0: send retained messages, 1: only when the subscription is new, 2: never
 */
public record Subscription(String filter, int qos, boolean noLocal, boolean retainAsPublished, int retainHandling) {}
