package io.emqx.extension.handler.codec;

import com.erlport.erlang.term.Tuple;

/** Something that travels as a tuple. */
public interface Tupleable {
    Tuple toTuple();
}
