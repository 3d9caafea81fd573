package io.hookmq.driving;

import io.hookmq.Hook;
import io.hookmq.driver.Arguments;
import io.hookmq.driver.Callback;
import io.hookmq.driver.Handler;
import java.util.ArrayList;
import java.util.List;

final class ModernHandler implements Handler {
    private final Object object;
    private final List<Callback> callbacks = new ArrayList<>();

    ModernHandler(Object object, List<Hook> hooks) {
        this.object = object;
        for (Hook hook : hooks) callbacks.add(new Bound(hook));
    }

    @Override
    public String style() {
        return "modern";
    }

    @Override
    public List<Callback> callbacks() {
        return callbacks;
    }

    @Override
    public List<String> warnings() {
        return List.of();
    }

    @Override
    public void close() throws Exception {
        if (object instanceof AutoCloseable closeable) closeable.close();
    }

    private static final class Bound extends Callback {
        private final Hook hook;

        Bound(Hook hook) {
            super(hook.point().hook, hook.target(), hook.topics(), hook.observes());
            this.hook = hook;
        }

        @Override
        public Object call(Arguments arguments) throws Throwable {
            Object event = Events.read(hook.point(), arguments.modern());
            return Verdicts.write(hook.call(event), event);
        }
    }
}
