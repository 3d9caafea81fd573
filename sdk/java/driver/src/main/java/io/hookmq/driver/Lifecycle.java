package io.hookmq.driver;

/** The end of this process. */
final class Lifecycle {
    private static final long PATIENCE_MILLISECONDS = 3000;

    private Lifecycle() {}

    /** Nobody is there to answer to. What the handler does at the end of the process gets a little time. */
    static void brokerIsGone() {
        Thread end = new Thread(
                () -> {
                    try {
                        Thread.sleep(PATIENCE_MILLISECONDS);
                    } catch (InterruptedException early) {
                        // Then it ends at once.
                    }
                    Runtime.getRuntime().halt(0);
                },
                "hookmq-end");
        end.setDaemon(true);
        end.start();
        new Thread(() -> System.exit(0), "hookmq-exit").start();
    }
}
