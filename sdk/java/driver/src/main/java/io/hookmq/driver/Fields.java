package io.hookmq.driver;

/** A record of the broker: values by name. */
public final class Fields {
    private final String[] names;
    private final Object[] values;

    Fields(String[] names, Object[] values) {
        this.names = names;
        this.values = values;
    }

    /** Null when it is not set. Throws an IllegalArgumentException when there is no such field. */
    public Object get(String name) {
        // Both are interned, so that the first loop finds whatever there is.
        for (int index = 0; index < names.length; index += 1) if (names[index] == name) return values[index];
        for (int index = 0; index < names.length; index += 1) if (names[index].equals(name)) return values[index];
        throw new IllegalArgumentException("the broker sent no field " + name);
    }

    public String text(String name) {
        return (String) get(name);
    }

    /** Bytes, or the UTF-8 of a text. */
    public byte[] bytes(String name) {
        Object value = get(name);
        return value instanceof String ? ((String) value).getBytes(java.nio.charset.StandardCharsets.UTF_8) : (byte[]) value;
    }

    public int integer(String name) {
        return ((Number) get(name)).intValue();
    }

    public long longInteger(String name) {
        return ((Number) get(name)).longValue();
    }

    public boolean bool(String name) {
        return (Boolean) get(name);
    }
}
