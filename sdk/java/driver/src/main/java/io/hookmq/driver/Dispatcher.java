package io.hookmq.driver;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Runs calls: those with the same key one after the other in the order in which they came, others at the same time.
 *
 * A few workers share one queue of keys that have something to do. As long as callbacks are quick nobody waits for a thread and few
 * are used; when the queue does not move, because all workers are inside slow callbacks, more are started, up to a limit. A callback that nobody
 * waits for any more goes on, but what comes after it does not wait for it, either.
 */
final class Dispatcher {
    /** One call, in a list of its key. */
    abstract static class Work {
        private Work next;
        private boolean passedBy;

        /** @param more whether the worker has more to do afterwards */
        abstract void run(boolean more) throws Exception;
    }

    private static final class Line {
        final String key;
        Work first;
        Work last;
        Work running;
        boolean scheduled;
        boolean left;

        Line(String key) {
            this.key = key;
        }
    }

    /** Calls of one key in a row, before another key has its turn. */
    private static final int TURN = 32;
    private static final long LOOK_EVERY_NANOSECONDS = 3_000_000;
    private static final long IDLE_NANOSECONDS = 10_000_000_000L;

    private final Supplier<ClassLoader> loader;
    private final int usual;
    private final int most;
    private final ConcurrentHashMap<String, Line> lines = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<Line> ready = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Worker> idle = new ConcurrentLinkedQueue<>();
    private final AtomicInteger workers = new AtomicInteger();
    /** Not parked. */
    private final AtomicInteger awake = new AtomicInteger();
    private final AtomicLong taken = new AtomicLong();
    private final Thread watcher = new Thread(this::watch, "hookmq-watch");
    private volatile boolean watching;

    /** @param loader what workers find classes with, when it is asked at their start */
    Dispatcher(int most, Supplier<ClassLoader> loader) {
        this.loader = loader;
        this.most = Math.max(1, most);
        this.usual = Math.min(this.most, Math.max(1, Runtime.getRuntime().availableProcessors() - 1));
        watcher.setDaemon(true);
    }

    void start() {
        watcher.start();
    }

    /** Only one thread may do this. Nothing runs before {@link #go}. */
    void add(String key, Work work) {
        for (;;) {
            Line line = lines.get(key);
            if (line == null) {
                line = new Line(key);
                lines.put(key, line);
            }
            synchronized (line) {
                if (line.left) continue;
                if (line.last == null) line.first = work;
                else line.last.next = work;
                line.last = work;
                if (line.scheduled) return;
                line.scheduled = true;
            }
            ready.add(line);
            return;
        }
    }

    /** Lets what waits behind these go on, while they are still running. By the thread that adds. */
    void passBy(Predicate<Work> abandoned) {
        for (Line line : lines.values()) {
            Line rest = new Line(line.key);
            synchronized (line) {
                if (line.left || line.running == null || !abandoned.test(line.running)) continue;
                line.running.passedBy = true;
                rest.first = line.first;
                rest.last = line.last;
                line.first = null;
                line.last = null;
                line.left = true;
                // Its worker is not there for others.
                awake.decrementAndGet();
            }
            if (rest.first == null) {
                lines.remove(line.key, line);
                continue;
            }
            rest.scheduled = true;
            lines.replace(line.key, line, rest);
            ready.add(rest);
        }
        go();
    }

    /** After one or several `add`. */
    void go() {
        while (!ready.isEmpty() && awake.get() < usual) if (!another()) break;
        if (watching || ready.isEmpty()) return;
        watching = true;
        LockSupport.unpark(watcher);
    }

    /** Wakes a worker, or starts one. false: there are as many as there may be. */
    private boolean another() {
        Worker worker = idle.poll();
        if (worker != null) {
            awake.incrementAndGet();
            worker.wanted = true;
            LockSupport.unpark(worker);
            return true;
        }
        if (workers.get() >= most) return false;
        workers.incrementAndGet();
        awake.incrementAndGet();
        new Worker().start();
        return true;
    }

    /** Looks whether the queue moves. */
    private void watch() {
        long before = -1;
        int wanted = 1;
        for (;;) {
            if (ready.isEmpty()) {
                watching = false;
                if (ready.isEmpty()) LockSupport.park(this);
                watching = true;
                wanted = 1;
                before = -1;
            }
            LockSupport.parkNanos(this, LOOK_EVERY_NANOSECONDS);
            long now = taken.get();
            if (now == before && !ready.isEmpty()) {
                for (int count = 0; count < wanted && !ready.isEmpty(); count += 1) if (!another()) break;
                wanted *= 2;
            } else {
                wanted = 1;
            }
            before = now;
        }
    }

    private final class Worker extends Thread {
        volatile boolean wanted;

        Worker() {
            super("hookmq-callback");
            setDaemon(true);
            setContextClassLoader(loader.get());
        }

        @Override
        public void run() {
            for (;;) {
                Line line = ready.poll();
                if (line != null) {
                    taken.lazySet(taken.get() + 1);
                    turn(line);
                } else if (!rest()) return;
            }
        }

        private void turn(Line line) {
            for (int count = 0; ; count += 1) {
                Work work;
                boolean more;
                synchronized (line) {
                    if (line.running != null && line.running.passedBy) awake.incrementAndGet();
                    line.running = null;
                    if (count == TURN && !line.left) break;
                    work = line.first;
                    if (work == null) {
                        line.left = true;
                        lines.remove(line.key, line);
                        return;
                    }
                    line.running = work;
                    line.first = work.next;
                    more = work.next != null;
                    if (!more) line.last = null;
                }
                try {
                    work.run(more || !ready.isEmpty());
                } catch (Exception failed) {
                    // Only the broker's end of the socket can be the cause.
                    Lifecycle.brokerIsGone();
                }
            }
            ready.add(line);
        }

        /** false: it has had nothing to do for long. */
        private boolean rest() {
            wanted = false;
            idle.add(this);
            awake.decrementAndGet();
            // Between the last look into the queue and becoming idle, something may have come.
            if (!ready.isEmpty() && awake.get() < usual) another();
            long end = System.nanoTime() + IDLE_NANOSECONDS;
            while (!wanted) {
                LockSupport.parkNanos(this, IDLE_NANOSECONDS);
                if (!wanted && System.nanoTime() - end >= 0 && idle.remove(this)) {
                    workers.decrementAndGet();
                    return false;
                }
            }
            return true;
        }
    }
}
