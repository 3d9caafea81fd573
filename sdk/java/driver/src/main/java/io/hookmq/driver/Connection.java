package io.hookmq.driver;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Reads frames, has their calls run, and sends the answers. */
final class Connection {
    private static final int KEPT = 256 * 1024;

    private final Socket socket;
    private final String path;
    private final Dispatcher dispatcher;
    private final Outbox outbox;
    private final Vocabulary vocabulary = new Vocabulary();
    private final ThreadLocal<Output> scratch = ThreadLocal.withInitial(() -> new Output(1024));
    private volatile ClassLoader loader = Connection.class.getClassLoader();
    private Throwable unprepared;
    private volatile Handler handler;
    private volatile Callback[] callbacks = new Callback[0];

    /** @param path where the classes of the user are */
    Connection(Socket socket, String path, int mostWorkers) {
        this.socket = socket;
        this.path = path;
        this.dispatcher = new Dispatcher(mostWorkers, () -> loader);
        this.outbox = new Outbox(socket.output);
    }

    /** Compiles what has to be compiled: that is not the time of `init`, which is the user's. What goes wrong is the answer to it. */
    void prepare(String className) {
        try {
            List<File> parts = Loader.withArchives(Loader.parts(path));
            loader = Loader.of(Sources.compile(parts, className), parts);
        } catch (Throwable failed) {
            unprepared = failed;
        }
    }

    void hello(String runtime, int processId) throws IOException {
        Output output = new Output(64);
        output.octet(Tags.HELLO);
        output.text(runtime);
        output.count(processId);
        outbox.add(output, false);
    }

    /** Ends with an EOFException when the broker has closed the socket. */
    void serve() throws IOException {
        dispatcher.start();
        outbox.start();
        Frames frames = new Frames(socket.input);
        for (;;) take(frames.next());
    }

    private void take(byte[] frame) {
        Input input = new Input(frame, 0);
        switch (input.octet()) {
            case Tags.INIT: {
                int id = input.count();
                String className = input.text();
                inBackground("hookmq-init", () -> init(id, className));
                return;
            }
            case Tags.DEINIT: {
                int id = input.count();
                inBackground("hookmq-deinit", () -> deinit(id));
                return;
            }
            case Tags.CALLS:
                vocabulary.read(input);
                calls(frame, input);
                return;
            case Tags.ABANDON:
                abandon(input);
                return;
            default:
                throw new IllegalArgumentException("a frame of a kind that this driver does not know");
        }
    }

    private void calls(byte[] frame, Input input) {
        for (int left = input.count(); left > 0; left -= 1) {
            int id = input.count();
            int callback = input.count();
            String key = input.text();
            int count = input.count();
            int size = input.integer();
            dispatcher.add(key, new One(id, callback, frame, input.position(), count));
            input.skip(size);
        }
        dispatcher.go();
    }

    private void abandon(Input input) {
        Set<Integer> ids = new HashSet<>();
        for (int left = input.count(); left > 0; left -= 1) ids.add(input.count());
        dispatcher.passBy(work -> ids.contains(((One) work).id));
    }

    private final class One extends Dispatcher.Work {
        private final int id;
        private final int callback;
        private final byte[] frame;
        private final int at;
        private final int count;

        One(int id, int callback, byte[] frame, int at, int count) {
            this.id = id;
            this.callback = callback;
            this.frame = frame;
            this.at = at;
            this.count = count;
        }

        @Override
        void run(boolean more) throws IOException {
            Output output = scratch.get();
            output.length = 0;
            try {
                Object value = callbacks[callback].call(new Arguments(new Input(frame, at), vocabulary, count));
                Answers.value(output, id, value);
            } catch (Throwable failed) {
                output.length = 0;
                Answers.failure(output, id, failed);
            }
            send(output, more);
        }
    }

    private void send(Output output, boolean more) throws IOException {
        outbox.add(output, more);
        if (output.bytes.length > KEPT) scratch.remove();
    }

    private void init(int id, String className) throws IOException {
        Output output = new Output(256);
        try {
            if (unprepared != null) throw unprepared;
            Thread.currentThread().setContextClassLoader(loader);
            Handler found = Handlers.find(className, loader);
            handler = found;
            callbacks = found.callbacks().toArray(new Callback[0]);
            ready(output, id, found);
        } catch (Throwable failed) {
            output.length = 0;
            Answers.failure(output, id, failed);
        }
        outbox.add(output, false);
    }

    private static void ready(Output output, int id, Handler found) {
        output.octet(Tags.READY);
        output.count(id);
        output.text(found.style());
        texts(output, found.warnings());
        output.count(found.callbacks().size());
        for (Callback callback : found.callbacks()) {
            output.text(callback.hook);
            output.text(callback.target);
            texts(output, callback.topics);
            output.octet(callback.observe ? 1 : 0);
        }
    }

    private static void texts(Output output, List<String> texts) {
        List<String> all = new ArrayList<>(texts);
        output.count(all.size());
        for (String text : all) output.text(text);
    }

    private void deinit(int id) throws IOException {
        Output output = new Output(256);
        try {
            Handler known = handler;
            if (known != null) known.close();
            Answers.value(output, id, null);
        } catch (Throwable failed) {
            output.length = 0;
            Answers.failure(output, id, failed);
        }
        outbox.add(output, false);
    }

    private interface Task {
        void run() throws IOException;
    }

    /** init and deinit are the user's as well: they must not keep the socket from being read. */
    private void inBackground(String name, Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (IOException gone) {
                        Lifecycle.brokerIsGone();
                    }
                },
                name);
        thread.setContextClassLoader(loader);
        thread.setDaemon(true);
        thread.start();
    }
}
