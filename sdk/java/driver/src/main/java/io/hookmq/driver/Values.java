package io.hookmq.driver;

import com.erlport.erlang.term.Atom;
import com.erlport.erlang.term.Binary;
import com.erlport.erlang.term.OpaqueObject;
import com.erlport.erlang.term.Tuple;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Reads and writes values as handlers see them: the types of `com.erlport.erlang.term` and those of Java. */
final class Values {
    private static final BigInteger LEAST = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MOST = BigInteger.valueOf(Long.MAX_VALUE);
    private static final Atom UNDEFINED = new Atom("undefined");
    private static final byte[] NOTHING = {};

    private Values() {}

    static Object read(Input input, Vocabulary vocabulary) {
        int tag = input.octet();
        if (tag >= Tags.SMALL) return tag - Tags.SMALL;
        switch (tag) {
            case Tags.UNDEFINED:
                return UNDEFINED;
            case Tags.TRUE:
                return Boolean.TRUE;
            case Tags.FALSE:
                return Boolean.FALSE;
            case Tags.INT:
                return input.integer();
            case Tags.LONG:
                return BigInteger.valueOf(input.longInteger());
            case Tags.BIG:
                return new BigInteger(input.bytes());
            case Tags.DOUBLE:
                return Double.longBitsToDouble(input.longInteger());
            case Tags.BINARY:
            case Tags.TEXT:
                return new Binary(input.bytes());
            case Tags.STRING:
                return input.text();
            case Tags.ATOM:
                return new Atom(input.text());
            case Tags.KNOWN_ATOM:
                return vocabulary.atom(input.count());
            case Tags.LIST: {
                int size = input.count();
                List<Object> list = new ArrayList<>(size);
                for (int index = 0; index < size; index += 1) list.add(read(input, vocabulary));
                return list;
            }
            case Tags.TUPLE: {
                Tuple tuple = new Tuple(input.count());
                for (int index = 0; index < tuple.elements.length; index += 1) tuple.elements[index] = read(input, vocabulary);
                return tuple;
            }
            case Tags.SHAPE: {
                Atom[] keys = vocabulary.shape(input.count());
                List<Object> pairs = new ArrayList<>(keys.length);
                for (Atom key : keys) pairs.add(Tuple.two(key, read(input, vocabulary)));
                return pairs;
            }
            case Tags.OPAQUE:
                input.bytes();
                return new OpaqueObject(NOTHING);
            default:
                throw new IllegalArgumentException("tag " + tag + " before byte " + input.position());
        }
    }

    /** As {@link Arguments#modern} says. */
    static Object readModern(Input input, Vocabulary vocabulary) {
        int tag = input.octet();
        if (tag >= Tags.SMALL) return tag - Tags.SMALL;
        switch (tag) {
            case Tags.UNDEFINED:
                return null;
            case Tags.TRUE:
                return Boolean.TRUE;
            case Tags.FALSE:
                return Boolean.FALSE;
            case Tags.INT:
                return input.integer();
            case Tags.LONG:
                return input.longInteger();
            case Tags.BIG:
                return new BigInteger(input.bytes());
            case Tags.DOUBLE:
                return Double.longBitsToDouble(input.longInteger());
            case Tags.BINARY:
                return input.bytes();
            case Tags.TEXT:
            case Tags.STRING:
            case Tags.ATOM:
                return input.text();
            case Tags.KNOWN_ATOM:
                return vocabulary.atom(input.count()).value;
            case Tags.LIST: {
                int size = input.count();
                if (size == 0) return Collections.emptyList();
                List<Object> list = new ArrayList<>(size);
                for (int index = 0; index < size; index += 1) list.add(readModern(input, vocabulary));
                return list;
            }
            case Tags.TUPLE: {
                Tuple tuple = new Tuple(input.count());
                for (int index = 0; index < tuple.elements.length; index += 1) tuple.elements[index] = readModern(input, vocabulary);
                return tuple;
            }
            case Tags.SHAPE: {
                String[] names = vocabulary.names(input.count());
                Object[] values = new Object[names.length];
                for (int index = 0; index < values.length; index += 1) values[index] = readModern(input, vocabulary);
                return new Fields(names, values);
            }
            case Tags.OPAQUE:
                input.bytes();
                return null;
            default:
                throw new IllegalArgumentException("tag " + tag + " before byte " + input.position());
        }
    }

    /** Whatever has no type of its own is opaque. */
    static void write(Output output, Object value) {
        if (value == null) output.octet(Tags.UNDEFINED);
        else if (value instanceof Boolean) output.octet((Boolean) value ? Tags.TRUE : Tags.FALSE);
        else if (value instanceof Integer || value instanceof Short || value instanceof Byte)
            writeInteger(output, ((Number) value).intValue());
        else if (value instanceof Long) writeLong(output, (Long) value);
        else if (value instanceof BigInteger) writeBig(output, (BigInteger) value);
        else if (value instanceof Double || value instanceof Float) {
            output.octet(Tags.DOUBLE);
            output.longInteger(Double.doubleToRawLongBits(((Number) value).doubleValue()));
        } else if (value instanceof Binary) {
            byte[] raw = ((Binary) value).raw;
            output.octet(Tags.BINARY);
            output.bytes(raw == null ? NOTHING : raw);
        } else if (value instanceof byte[]) {
            output.octet(Tags.BINARY);
            output.bytes((byte[]) value);
        } else if (value instanceof String) {
            output.octet(Tags.STRING);
            output.text((String) value);
        } else if (value instanceof Atom) writeAtom(output, ((Atom) value).value);
        else if (value instanceof Tuple) writeAll(output, Tags.TUPLE, ((Tuple) value).elements);
        else if (value instanceof Object[]) writeAll(output, Tags.LIST, (Object[]) value);
        else if (value instanceof List) {
            // A copy: another thread may be changing the list.
            writeAll(output, Tags.LIST, ((List<?>) value).toArray());
        } else {
            output.octet(Tags.OPAQUE);
            output.text(value.getClass().getName());
        }
    }

    private static void writeInteger(Output output, int value) {
        if (value >= 0 && value < Tags.SMALL) output.octet(Tags.SMALL + value);
        else {
            output.octet(Tags.INT);
            output.integer(value);
        }
    }

    private static void writeLong(Output output, long value) {
        if (value == (int) value) writeInteger(output, (int) value);
        else {
            output.octet(Tags.LONG);
            output.longInteger(value);
        }
    }

    private static void writeBig(Output output, BigInteger value) {
        if (value.compareTo(LEAST) >= 0 && value.compareTo(MOST) <= 0) writeLong(output, value.longValue());
        else {
            output.octet(Tags.BIG);
            output.bytes(value.toByteArray());
        }
    }

    private static void writeAtom(Output output, String name) {
        if (name.equals("true")) output.octet(Tags.TRUE);
        else if (name.equals("false")) output.octet(Tags.FALSE);
        else if (name.equals("undefined")) output.octet(Tags.UNDEFINED);
        else {
            output.octet(Tags.ATOM);
            output.text(name);
        }
    }

    private static void writeAll(Output output, int tag, Object[] values) {
        output.octet(tag);
        output.count(values.length);
        for (Object value : values) write(output, value);
    }
}
