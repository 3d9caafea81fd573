package io.hookmq.driver;

import java.util.List;

/** The hooks of one class, found and ready to be called. */
public interface Handler {
    /** `compatible`: hooks and arguments of EMQX 4.1; `modern`: those of the broker itself. */
    String style();

    List<Callback> callbacks();

    /** What is wrong but does not matter enough to fail; one line each. */
    List<String> warnings();

    /** Before the process ends. */
    void close() throws Throwable;
}
