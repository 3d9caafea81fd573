package com.erlport.erlang.term;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes: what texts and payloads travel as. */
public class Binary implements Serializable {
    private static final long serialVersionUID = 1L;

    public byte[] raw;

    public Binary(byte[] raw) {
        this.raw = raw;
    }

    /** The text as UTF-8. */
    public Binary(String text) {
        this(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Binary && Arrays.equals(((Binary) other).raw, raw);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(raw);
    }

    /** The bytes read as UTF-8. */
    @Override
    public String toString() {
        return raw == null ? "" : new String(raw, StandardCharsets.UTF_8);
    }
}
