package io.emqx.extension.handler.codec;

import com.erlport.erlang.term.Atom;
import com.erlport.erlang.term.Binary;
import com.erlport.erlang.term.Tuple;
import io.emqx.extension.exceptions.InvalidParameterException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The values of the broker as those of the SDK, and back. */
public final class CodecUtil {
    private static final Binary EMPTY = new Binary(new byte[0]);

    private CodecUtil() {}

    /** Null becomes the empty text. */
    public static Binary binary(String text) {
        return text == null ? EMPTY : new Binary(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Text or symbol; empty text and the symbol `undefined` are null. */
    public static String text(Object value, String what) throws InvalidParameterException {
        if (value instanceof Binary) {
            byte[] raw = ((Binary) value).raw;
            return raw.length == 0 ? null : new String(raw, StandardCharsets.UTF_8);
        }
        if (value instanceof Atom) {
            String text = ((Atom) value).value;
            return text.equals("undefined") ? null : text;
        }
        if (value instanceof String) return ((String) value).isEmpty() ? null : (String) value;
        throw unexpected(what, "text", value);
    }

    public static byte[] bytes(Object value, String what) throws InvalidParameterException {
        if (value instanceof Binary) return ((Binary) value).raw;
        throw unexpected(what, "bytes", value);
    }

    public static int integer(Object value, String what) throws InvalidParameterException {
        if (value instanceof Number) return ((Number) value).intValue();
        throw unexpected(what, "a number", value);
    }

    public static long longInteger(Object value, String what) throws InvalidParameterException {
        if (value instanceof Number) return ((Number) value).longValue();
        throw unexpected(what, "a number", value);
    }

    public static boolean bool(Object value, String what) throws InvalidParameterException {
        if (value instanceof Boolean) return (Boolean) value;
        throw unexpected(what, "true or false", value);
    }

    public static List<?> list(Object value, String what) throws InvalidParameterException {
        if (value instanceof List) return (List<?>) value;
        throw unexpected(what, "a list", value);
    }

    public static Tuple pair(Object value, String what) throws InvalidParameterException {
        if (value instanceof Tuple && ((Tuple) value).elements.length == 2) return (Tuple) value;
        throw unexpected(what, "a pair", value);
    }

    static InvalidParameterException unexpected(String what, String expected, Object value) {
        String found = value == null ? "null" : value.getClass().getSimpleName();
        return new InvalidParameterException(what + ": expected " + expected + ", got " + found);
    }
}
