package io.hookmq;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Called when a message is published. The method takes a {@link Message}. It returns a {@link PublishVerdict}, or null to leave the message as it is; a {@link Message} is one as well. A
 * method that returns nothing only observes: nobody waits for it.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface OnMessagePublish {
    /** Filters; none: all topics. */
    String[] topics() default {};
}
