package io.emqx.extension.handler.codec;

/** Something that a callback is called with. */
public interface HandlerParameter {}
