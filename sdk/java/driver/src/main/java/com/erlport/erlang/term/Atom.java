package com.erlport.erlang.term;

import java.io.Serializable;

/** A symbol. The text of two atoms decides whether they are equal. */
public class Atom implements Serializable {
    private static final long serialVersionUID = 1L;

    public String value;
    /** Name of the charset that the text was read with. */
    public String coder;

    public Atom(String value) {
        this(value, "UTF-8");
    }

    public Atom(String value, String coder) {
        if (value == null) throw new NullPointerException("an atom needs a text");
        this.value = value;
        this.coder = coder;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Atom && ((Atom) other).value.equals(value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    @Override
    public String toString() {
        return "Atom (value=" + value + ")";
    }
}
