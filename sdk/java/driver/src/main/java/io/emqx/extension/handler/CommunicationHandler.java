package io.emqx.extension.handler;

/** What a handler offers to the broker besides its callbacks. */
public interface CommunicationHandler {
    /** Called once at the start: `(0, (hooks, state))`, or `(1, reason)` to refuse. */
    Object init();

    /** Called before the process ends. */
    void deinit();
}
