package io.emqx.extension.handler.codec;

import com.erlport.erlang.term.Tuple;
import java.util.ArrayList;
import java.util.List;

/** What a handler answers at the start: its hooks and its state. */
public class Initializer implements Tupleable {
    public final List<HookSpec> hooks;
    public final Object state;

    public Initializer(List<HookSpec> hooks, Object state) {
        this.hooks = hooks;
        this.state = state;
    }

    @Override
    public Tuple toTuple() {
        List<Object> specs = new ArrayList<>(hooks.size());
        for (HookSpec hook : hooks) specs.add(hook.toTuple());
        return Tuple.two(ResultCode.SUC.getValue(), Tuple.two(specs, state));
    }

    @Override
    public String toString() {
        return "Initializer (hooks=" + hooks + ", state=" + state + ")";
    }

    /** Collects hooks. */
    public static class Bootstrap {
        private final List<HookSpec> hooks = new ArrayList<>();

        public Bootstrap add(HookSpec hook) {
            hooks.add(hook);
            return this;
        }

        public Initializer with(Object state) {
            return new Initializer(hooks, state);
        }
    }
}
