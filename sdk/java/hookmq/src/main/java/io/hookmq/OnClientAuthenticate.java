package io.hookmq;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Called when a client wants to come in. The method takes a {@link Credentials}. It returns an {@link AccessVerdict}, true or false, or null when it has no opinion. A method that returns nothing only observes: nobody waits for it.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface OnClientAuthenticate {}
