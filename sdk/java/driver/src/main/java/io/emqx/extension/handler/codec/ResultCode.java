package io.emqx.extension.handler.codec;

/** First part of what a callback answers. */
public enum ResultCode {
    /** The second part is the answer. */
    SUC(0),
    /** The second part is why there is none. */
    FAIL(1);

    private final int value;

    ResultCode(int value) {
        this.value = value;
    }

    public int getValue() {
        return value;
    }
}
