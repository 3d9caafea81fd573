package io.hookmq.driving;

import io.hookmq.HandlerClass;
import io.hookmq.driver.Handler;
import io.hookmq.driver.HandlerFactory;
import io.hookmq.driver.InitFailure;

/** Makes handlers of classes that are written with this package. */
public final class ModernFactory implements HandlerFactory {
    @Override
    public Handler create(Class<?> owner) throws Throwable {
        if (!HandlerClass.isOne(owner)) return null;
        Object object = HandlerClass.instantiate(owner);
        try {
            return new ModernHandler(object, HandlerClass.hooksOf(owner, object));
        } catch (IllegalArgumentException wrong) {
            throw new InitFailure(wrong.getMessage());
        }
    }
}
