package io.hookmq.driver;

import com.erlport.erlang.term.Atom;
import com.erlport.erlang.term.Binary;

/** Values as text. */
final class Texts {
    private static final int LONGEST = 200;

    private Texts() {}

    /** What a String, Binary or Atom says; null for anything else. */
    static String textOf(Object value) {
        if (value instanceof String) return (String) value;
        if (value instanceof Atom) return ((Atom) value).value;
        if (value instanceof Binary) return value.toString();
        return null;
    }

    /** For a message: cut when it is long. */
    static String of(Object value) {
        String text;
        try {
            text = String.valueOf(value);
        } catch (RuntimeException failing) {
            text = value.getClass().getName();
        }
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "…";
    }
}
