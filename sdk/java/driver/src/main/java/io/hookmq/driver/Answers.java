package io.hookmq.driver;

import java.io.PrintWriter;
import java.io.StringWriter;

/** What goes to the broker. */
final class Answers {
    private static final int LONGEST_TRACE = 16 * 1024;

    private Answers() {}

    static void value(Output output, int id, Object value) {
        if (value == null) {
            output.octet(Tags.OK);
            output.count(id);
            return;
        }
        output.octet(Tags.ANSWER);
        output.count(id);
        Values.write(output, value);
    }

    static void failure(Output output, int id, Throwable cause) {
        output.octet(Tags.FAILED);
        output.count(id);
        boolean plain = cause instanceof InitFailure;
        // What is said about an answer of init speaks for itself.
        output.text(plain ? "init" : cause.getClass().getName());
        output.text(messageOf(cause));
        output.text(plain ? "" : traceOf(cause));
        output.text(placeOf(cause));
    }

    private static String messageOf(Throwable cause) {
        try {
            String message = cause.getMessage();
            return message == null ? "" : message;
        } catch (RuntimeException failing) {
            return "";
        }
    }

    private static String traceOf(Throwable cause) {
        try {
            StringWriter text = new StringWriter();
            cause.printStackTrace(new PrintWriter(text));
            String trace = text.toString();
            return trace.length() <= LONGEST_TRACE ? trace : trace.substring(0, LONGEST_TRACE) + "…";
        } catch (RuntimeException failing) {
            return "";
        }
    }

    /** The nearest line of the user's own code. */
    private static String placeOf(Throwable cause) {
        for (StackTraceElement element : cause.getStackTrace()) {
            String name = element.getClassName();
            boolean ours = name.startsWith("io.hookmq.") || name.startsWith("io.emqx.extension.") || name.startsWith("com.erlport.");
            boolean platform = name.startsWith("java.") || name.startsWith("jdk.") || name.startsWith("sun.");
            if (ours || platform || element.getFileName() == null) continue;
            return element.getFileName() + " line " + element.getLineNumber();
        }
        return "";
    }
}
