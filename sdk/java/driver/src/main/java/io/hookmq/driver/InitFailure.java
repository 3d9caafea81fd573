package io.hookmq.driver;

/** A handler that cannot be used, said in one line. */
public final class InitFailure extends Exception {
    private static final long serialVersionUID = 1L;

    public InitFailure(String message) {
        super(message, null, false, false);
    }
}
