package io.emqx.extension.handler.codec;

/** Why something ended, or was not done. */
public class Reason implements HandlerParameter {
    public final String value;

    public Reason(String value) {
        this.value = value;
    }

    @Override
    public String toString() {
        return "Reason (value=" + value + ")";
    }
}
