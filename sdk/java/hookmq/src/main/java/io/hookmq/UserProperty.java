package io.hookmq;

/** A name may come more than once. */
public record UserProperty(String name, String value) {}
