package io.hookmq;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Called when a subscriber has acknowledged a message. The method takes an {@link Acked}. It returns nothing.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface OnMessageAcked {
    /** Filters; none: all topics. */
    String[] topics() default {};
}
