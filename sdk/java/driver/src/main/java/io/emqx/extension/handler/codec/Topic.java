package io.emqx.extension.handler.codec;

/** Name of a topic, or a filter. */
public class Topic implements HandlerParameter {
    public final String value;

    public Topic(String value) {
        this.value = value;
    }

    @Override
    public String toString() {
        return "Topic (value=" + value + ")";
    }
}
