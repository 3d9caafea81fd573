package io.emqx.extension.handler.codec;

import com.erlport.erlang.term.Tuple;

/** Yes or no. */
public class Result implements HandlerReturn {
    public final boolean value;

    public Result(boolean value) {
        this.value = value;
    }

    @Override
    public Object encode(ResultCode code) {
        return Tuple.two(code.getValue(), value);
    }

    @Override
    public String toString() {
        return "Result (value=" + value + ")";
    }
}
