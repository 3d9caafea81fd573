package io.emqx.extension.handler.codec;

/** Something that a callback answers with. */
public interface HandlerReturn {
    /** The pair of result code and value that goes to the broker. */
    Object encode(ResultCode code);
}
