package io.hookmq.driver;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.locks.LockSupport;

/**
 * Frames on their way to the broker. Answers gather while there is more to do, and leave in one write: when a worker has nothing left
 * to do, when enough have gathered, and at the latest after a tenth of a millisecond or so, because the next callback may take long.
 */
final class Outbox implements Runnable {
    private static final int ENOUGH = 32 * 1024;
    private static final int KEPT = 1024 * 1024;
    private static final long PATIENCE_NANOSECONDS = 100_000;

    private final OutputStream stream;
    private final Object writing = new Object();
    private final Thread timer;
    private Output gathering = fresh();
    private Output spare = fresh();
    private volatile boolean waiting;

    Outbox(OutputStream stream) {
        this.stream = stream;
        timer = new Thread(this, "hookmq-flush");
        timer.setDaemon(true);
    }

    void start() {
        timer.start();
    }

    private static Output fresh() {
        Output output = new Output(2 * ENOUGH);
        output.length = 4;
        return output;
    }

    /** @param more whether whoever adds this is about to do more, so that a write can wait */
    void add(Output item, boolean more) throws IOException {
        boolean enough;
        boolean first;
        synchronized (this) {
            first = gathering.length == 4;
            gathering.raw(item.bytes, 0, item.length);
            enough = gathering.length >= ENOUGH;
        }
        if (!more || enough) flush();
        else if (first && waiting) LockSupport.unpark(timer);
    }

    boolean isEmpty() {
        synchronized (this) {
            return gathering.length == 4;
        }
    }

    /** What has been added before is written when this returns. */
    void flush() throws IOException {
        synchronized (writing) {
            Output full;
            synchronized (this) {
                if (gathering.length == 4) return;
                full = gathering;
                gathering = spare;
            }
            full.putInteger(0, full.length - 4);
            stream.write(full.bytes, 0, full.length);
            if (full.bytes.length > KEPT) full = fresh();
            full.length = 4;
            spare = full;
        }
    }

    @Override
    public void run() {
        try {
            for (;;) {
                waiting = true;
                while (isEmpty()) LockSupport.park(this);
                waiting = false;
                LockSupport.parkNanos(this, PATIENCE_NANOSECONDS);
                flush();
            }
        } catch (IOException gone) {
            Lifecycle.brokerIsGone();
        }
    }
}
