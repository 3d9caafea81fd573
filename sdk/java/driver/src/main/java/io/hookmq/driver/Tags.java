package io.hookmq.driver;

/** The first byte of each value. The other end is providers/driver/src/java/codec.ts. */
final class Tags {
    static final int UNDEFINED = 0;
    static final int TRUE = 1;
    static final int FALSE = 2;
    /** 4 bytes. */
    static final int INT = 3;
    /** 8 bytes. */
    static final int LONG = 4;
    /** Length, then two's complement, the highest byte first. */
    static final int BIG = 5;
    /** 8 bytes. */
    static final int DOUBLE = 6;
    /** Length, then bytes: payloads, and whatever need not be text. */
    static final int BINARY = 7;
    /** Length, then UTF-8: a text that is a list of characters for the broker. */
    static final int STRING = 8;
    /** Length, then UTF-8. */
    static final int ATOM = 9;
    /** Number of an atom that was defined before. */
    static final int KNOWN_ATOM = 10;
    /** Number of elements, then these. */
    static final int LIST = 11;
    static final int TUPLE = 12;
    /** Number of a shape that was defined before, then the values of its keys. */
    static final int SHAPE = 13;
    /** Length, then a description in UTF-8: something that makes no sense outside of this process. */
    static final int OPAQUE = 14;
    /** Length, then UTF-8: a text that is bytes to handlers of EMQX 4.1. */
    static final int TEXT = 15;
    /** A tag of this and more is a number itself, less this. */
    static final int SMALL = 0x80;

    // The first byte of what the broker sends.
    static final int INIT = 0;
    static final int DEINIT = 1;
    static final int CALLS = 2;
    static final int ABANDON = 3;

    // The first byte of each thing that goes to the broker.
    static final int OK = 0;
    static final int ANSWER = 1;
    static final int FAILED = 2;
    static final int HELLO = 3;
    static final int READY = 4;

    private Tags() {}
}
