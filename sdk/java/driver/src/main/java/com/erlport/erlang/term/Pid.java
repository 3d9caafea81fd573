package com.erlport.erlang.term;

import java.io.Serializable;
import java.util.Arrays;

/** A process of the other side. */
public class Pid implements Serializable {
    private static final long serialVersionUID = 1L;

    public final byte[] raw;

    public Pid(byte[] raw) {
        this.raw = raw;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Pid && Arrays.equals(((Pid) other).raw, raw);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(raw);
    }

    @Override
    public String toString() {
        return "Pid (" + raw.length + " bytes)";
    }
}
