package com.erlport;

/** The name that the process was started by in earlier brokers. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        io.hookmq.driver.Main.main(arguments);
    }
}
