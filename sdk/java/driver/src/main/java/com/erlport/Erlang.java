package com.erlport;

/** Calls into the broker. Handlers have never needed them, and this broker has no functions to call. */
public final class Erlang {
    private Erlang() {}

    public static Object call(String module, String function, Object[] arguments, long timeout) {
        throw new UnsupportedOperationException(
                "Erlang.call(" + module + ", " + function + "): this broker has no Erlang functions");
    }
}
