package com.erlport.erlang.term;

import java.io.Serializable;
import java.util.Arrays;

/** A reference of the other side. */
public class Reference implements Serializable {
    private static final long serialVersionUID = 1L;

    public final byte[] raw;

    public Reference(byte[] raw) {
        this.raw = raw;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Reference && Arrays.equals(((Reference) other).raw, raw);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(raw);
    }

    @Override
    public String toString() {
        return "Reference (" + raw.length + " bytes)";
    }
}
