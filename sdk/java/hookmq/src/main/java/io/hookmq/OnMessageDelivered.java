package io.hookmq;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Called when a message is about to be sent to a subscriber. The method takes a {@link Delivered}. It returns nothing.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface OnMessageDelivered {
    /** Filters; none: all topics. */
    String[] topics() default {};
}
