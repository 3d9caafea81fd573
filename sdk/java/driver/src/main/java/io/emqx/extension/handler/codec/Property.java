package io.emqx.extension.handler.codec;

/** One MQTT 5 property. Numbers are given as text; each user property is one of its own, with `name=value`. */
public class Property implements HandlerParameter {
    public final String key;
    public final String value;

    public Property(String key, String value) {
        this.key = key;
        this.value = value;
    }

    @Override
    public String toString() {
        return "Property (key=" + key + ", value=" + value + ")";
    }
}
