package io.emqx.extension.handler.codec;

/** Name of the code in CONNACK: success, not_authorized … */
public class ReturnCode implements HandlerParameter {
    public final String value;

    public ReturnCode(String value) {
        this.value = value;
    }

    @Override
    public String toString() {
        return "ReturnCode (value=" + value + ")";
    }
}
