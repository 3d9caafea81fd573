package io.hookmq;

import java.util.List;

/** One callback of one hook. */
public final class Hook {
    /** How it is called. */
    @FunctionalInterface
    public interface Call {
        Object call(Object event) throws Throwable;
    }

    private final Point point;
    private final String target;
    private final List<String> topics;
    private final boolean observes;
    private final Call call;

    /**
     * @param target for logs: `Main.onOrder`
     * @param topics filters; empty: all
     * @param observes nobody waits for it, also where it could decide
     */
    Hook(Point point, String target, List<String> topics, boolean observes, Call call) {
        for (String filter : topics) {
            String wrong = Topics.wrong(filter);
            if (wrong != null) throw new IllegalArgumentException(target + ": topic filter '" + filter + "' " + wrong);
        }
        this.point = point;
        this.target = target;
        this.topics = List.copyOf(topics);
        this.observes = observes;
        this.call = call;
    }

    public Point point() {
        return point;
    }

    public String target() {
        return target;
    }

    public List<String> topics() {
        return topics;
    }

    public boolean observes() {
        return observes;
    }

    /**
     * Calls it with an event of its point.
     *
     * @return a {@link PublishVerdict}, an {@link AccessVerdict}, or null for none
     */
    public Object call(Object event) throws Throwable {
        Object answer = call.call(event);
        if (answer == null || point.answer == Point.Answer.NONE) return null;
        if (answer instanceof Boolean yes && point.answer == Point.Answer.ACCESS) return yes ? AccessVerdict.allow() : AccessVerdict.deny();
        if (point.answer == Point.Answer.ACCESS && answer instanceof AccessVerdict) return answer;
        if (point.answer == Point.Answer.MESSAGE && answer instanceof PublishVerdict) return answer;
        throw new IllegalStateException(target + " returned a " + answer.getClass().getName() + "; expected "
                + (point.answer == Point.Answer.ACCESS ? "an AccessVerdict, true or false" : "a PublishVerdict or a Message"));
    }
}
