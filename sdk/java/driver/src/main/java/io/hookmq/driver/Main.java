package io.hookmq.driver;

import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;

/** The process of a driver: finds the handler, a class, in the folders given, and answers the broker's calls. */
public final class Main {
    private static final int DESCRIPTOR = 3;
    private static final int MOST_WORKERS = 256;

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 2) {
            System.err.println("usage: java -jar hookmq-driver.jar PATH CLASS. The broker starts it: file descriptor 3 is a socket to the broker.");
            System.exit(2);
        }
        Socket socket = Socket.inherited(DESCRIPTOR);
        useUtf8();
        System.setIn(new ByteArrayInputStream(new byte[0]));
        int workers = Integer.getInteger("hookmq.driver.threads", MOST_WORKERS);
        Connection connection = new Connection(socket, arguments[0], workers);
        connection.prepare(arguments[1]);
        connection.hello("Java " + System.getProperty("java.version"), processId());
        try {
            connection.serve();
        } catch (IOException gone) {
            // The end, as it should be.
        } catch (RuntimeException wrong) {
            System.err.println("hookmq-driver: the broker sent what this driver does not understand");
            wrong.printStackTrace();
        }
        Lifecycle.brokerIsGone();
    }

    private static void useUtf8() throws IOException {
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8"));
        System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.err), true, "UTF-8"));
    }

    /** 0 before Java 9. */
    private static int processId() {
        try {
            Class<?> handle = Class.forName("java.lang.ProcessHandle");
            Object own = handle.getMethod("current").invoke(null);
            return ((Long) handle.getMethod("pid").invoke(own)).intValue();
        } catch (ReflectiveOperationException older) {
            return 0;
        }
    }
}
