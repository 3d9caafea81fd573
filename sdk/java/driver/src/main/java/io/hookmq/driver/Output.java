package io.hookmq.driver;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes that grow at their end. Not for several threads at once. */
final class Output {
    byte[] bytes;
    int length;

    Output(int capacity) {
        bytes = new byte[capacity];
    }

    private void room(int more) {
        if (bytes.length - length >= more) return;
        long wanted = Math.max((long) bytes.length * 2, (long) length + more);
        bytes = Arrays.copyOf(bytes, (int) Math.min(wanted, Integer.MAX_VALUE - 8));
    }

    void octet(int value) {
        room(1);
        bytes[length++] = (byte) value;
    }

    void count(int value) {
        room(5);
        int rest = value;
        while ((rest & ~0x7f) != 0) {
            bytes[length++] = (byte) (rest & 0x7f | 0x80);
            rest >>>= 7;
        }
        bytes[length++] = (byte) rest;
    }

    void integer(int value) {
        room(4);
        putInteger(length, value);
        length += 4;
    }

    /** Overwrites four bytes. */
    void putInteger(int at, int value) {
        bytes[at] = (byte) (value >>> 24);
        bytes[at + 1] = (byte) (value >>> 16);
        bytes[at + 2] = (byte) (value >>> 8);
        bytes[at + 3] = (byte) value;
    }

    void longInteger(long value) {
        integer((int) (value >>> 32));
        integer((int) value);
    }

    void raw(byte[] part, int from, int count) {
        room(count);
        System.arraycopy(part, from, bytes, length, count);
        length += count;
    }

    /** With its length before it. */
    void bytes(byte[] part) {
        count(part.length);
        raw(part, 0, part.length);
    }

    /** As UTF-8, with its length before it. */
    void text(String text) {
        bytes(text.getBytes(StandardCharsets.UTF_8));
    }
}
