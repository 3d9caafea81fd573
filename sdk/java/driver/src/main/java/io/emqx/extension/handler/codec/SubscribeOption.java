package io.emqx.extension.handler.codec;

/** How a filter was subscribed: MQTT 5 subscription options, and whether the subscription is new. */
public class SubscribeOption implements HandlerParameter {
    public final boolean isNew;
    public final int qos;
    public final int nl;
    public final int rap;
    public final int rh;

    public SubscribeOption(boolean isNew, int nl, int qos, int rap, int rh) {
        this.isNew = isNew;
        this.nl = nl;
        this.qos = qos;
        this.rap = rap;
        this.rh = rh;
    }

    @Override
    public String toString() {
        return "SubscribeOption (isNew=" + isNew + ", nl=" + nl + ", qos=" + qos + ", rap=" + rap + ", rh=" + rh + ")";
    }
}
