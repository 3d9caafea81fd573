package io.emqx.extension.exceptions;

/** What arrived for a callback does not have the shape that its parameter needs. */
public class InvalidParameterException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidParameterException(String message) {
        super(message);
    }
}
