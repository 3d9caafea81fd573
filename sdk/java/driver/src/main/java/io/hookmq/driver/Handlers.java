package io.hookmq.driver;

import java.util.Iterator;
import java.util.ServiceLoader;

/** Finds out how the class of the user wants to be called. */
final class Handlers {
    private Handlers() {}

    static Handler find(String className, ClassLoader loader) throws Throwable {
        Class<?> owner;
        try {
            owner = Loader.find(className, loader);
        } catch (ClassNotFoundException missing) {
            throw new InitFailure("there is no class " + className + " in the path of the driver, neither compiled nor as a source");
        } catch (UnsupportedClassVersionError newer) {
            throw new InitFailure(className + " was compiled for a newer Java than this one, " + System.getProperty("java.version")
                    + ": " + newer.getMessage());
        }
        Iterator<HandlerFactory> factories = ServiceLoader.load(HandlerFactory.class, Handlers.class.getClassLoader()).iterator();
        for (HandlerFactory factory = next(factories); factory != null; factory = next(factories)) {
            Handler handler = factory.create(owner);
            if (handler != null) return handler;
        }
        return CompatibleHandler.start(className, loader);
    }

    /** Null: there is no other, or it is for a newer Java than this one. */
    private static HandlerFactory next(Iterator<HandlerFactory> factories) {
        try {
            return factories.hasNext() ? factories.next() : null;
        } catch (UnsupportedClassVersionError newer) {
            return null;
        }
    }
}
