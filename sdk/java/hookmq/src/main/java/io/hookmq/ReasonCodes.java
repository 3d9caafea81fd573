package io.hookmq;

final class ReasonCodes {
    private ReasonCodes() {}

    static void refusing(int code) {
        if (code < 0x80 || code > 0xFF)
            throw new IllegalArgumentException("a reason code that refuses is from 0x80 to 0xFF, not " + code);
    }
}
