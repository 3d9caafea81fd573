package com.erlport.erlang.term;

import java.io.Serializable;
import java.util.Arrays;

/** A port of the other side. */
public class Port implements Serializable {
    private static final long serialVersionUID = 1L;

    public final byte[] raw;

    public Port(byte[] raw) {
        this.raw = raw;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Port && Arrays.equals(((Port) other).raw, raw);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(raw);
    }

    @Override
    public String toString() {
        return "Port (" + raw.length + " bytes)";
    }
}
