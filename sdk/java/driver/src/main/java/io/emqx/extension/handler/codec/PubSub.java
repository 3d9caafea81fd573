package io.emqx.extension.handler.codec;

/** publish or subscribe. */
public class PubSub implements HandlerParameter {
    public final String value;

    public PubSub(String value) {
        this.value = value;
    }

    @Override
    public String toString() {
        return "PubSub (value=" + value + ")";
    }
}
