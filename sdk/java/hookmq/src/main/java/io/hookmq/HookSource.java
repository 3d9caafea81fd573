package io.hookmq;

/** A handler class that says its hooks as lambdas. It needs a constructor without parameters. */
public interface HookSource extends AutoCloseable {
    /** Called once, before the first event. What it throws makes the load fail. */
    Hooks hooks();

    /** Called once, when no event comes any more. */
    @Override
    default void close() throws Exception {}
}
