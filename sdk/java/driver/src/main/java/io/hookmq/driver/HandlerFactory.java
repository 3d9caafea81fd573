package io.hookmq.driver;

/** Knows one kind of handler class. Found as a service. */
public interface HandlerFactory {
    /** Null when the class is of another kind. */
    Handler create(Class<?> owner) throws Throwable;
}
