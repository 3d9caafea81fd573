package com.erlport.erlang.term;

import java.io.Serializable;
import java.util.Arrays;

/** A value that only the other side understands; it goes back as it came. */
public class OpaqueObject implements Serializable {
    private static final long serialVersionUID = 1L;

    public final byte[] raw;

    public OpaqueObject(byte[] raw) {
        this.raw = raw;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof OpaqueObject && Arrays.equals(((OpaqueObject) other).raw, raw);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(raw);
    }

    @Override
    public String toString() {
        return "OpaqueObject (" + raw.length + " bytes)";
    }
}
