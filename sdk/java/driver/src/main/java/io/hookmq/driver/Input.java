package io.hookmq.driver;

import java.nio.charset.StandardCharsets;

/** Reads the parts of a frame. Not for several threads at once. */
final class Input {
    private final byte[] bytes;
    private int at;

    Input(byte[] bytes, int at) {
        this.bytes = bytes;
        this.at = at;
    }

    int position() {
        return at;
    }

    void skip(int count) {
        at += count;
    }

    boolean atEnd() {
        return at >= bytes.length;
    }

    int octet() {
        return bytes[at++] & 0xff;
    }

    /** Seven bits a byte, the lowest first; a set eighth bit means that more follow. */
    int count() {
        int value = 0;
        for (int shift = 0; ; shift += 7) {
            int octet = bytes[at++];
            value |= (octet & 0x7f) << shift;
            if (octet >= 0) return value;
        }
    }

    int integer() {
        int value = (bytes[at] & 0xff) << 24 | (bytes[at + 1] & 0xff) << 16 | (bytes[at + 2] & 0xff) << 8 | bytes[at + 3] & 0xff;
        at += 4;
        return value;
    }

    long longInteger() {
        long high = integer();
        return high << 32 | integer() & 0xffffffffL;
    }

    byte[] bytes(int length) {
        byte[] part = new byte[length];
        System.arraycopy(bytes, at, part, 0, length);
        at += length;
        return part;
    }

    /** With its length before it. */
    byte[] bytes() {
        return bytes(count());
    }

    /** With its length before it. */
    String text() {
        int length = count();
        String text = new String(bytes, at, length, StandardCharsets.UTF_8);
        at += length;
        return text;
    }
}
