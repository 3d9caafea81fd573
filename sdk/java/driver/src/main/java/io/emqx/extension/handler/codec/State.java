package io.emqx.extension.handler.codec;

import java.io.Serializable;

/** What the SDK hands to the broker at the start, and gets back with every call. Each call has a copy of its own. */
public class State implements Serializable {
    private static final long serialVersionUID = 1L;

    private int count;

    public State() {}

    /** The number of calls of this on this copy, including this one. */
    public int incr() {
        count += 1;
        return count;
    }

    @Override
    public String toString() {
        return "State (count=" + count + ")";
    }
}
