package io.hookmq.driver;

import java.util.List;

/** One method that a handler has named for a hook. */
public abstract class Callback {
    public final String hook;
    /** For logs: `Main.onConnect`. */
    public final String target;
    /** Empty: all. */
    public final List<String> topics;
    /** Nobody waits for the answer, also where it could decide. */
    public final boolean observe;

    protected Callback(String hook, String target, List<String> topics, boolean observe) {
        this.hook = hook;
        this.target = target;
        this.topics = topics;
        this.observe = observe;
    }

    /**
     * @param arguments as {@link Arguments} reads them; only valid during the call
     * @return what goes back as an answer; null for none
     */
    public abstract Object call(Arguments arguments) throws Throwable;
}
