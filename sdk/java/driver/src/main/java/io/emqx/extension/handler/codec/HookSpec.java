package io.emqx.extension.handler.codec;

import com.erlport.erlang.term.Tuple;
import java.util.ArrayList;
import java.util.List;

/** Which method of which class is called for a hook. */
public class HookSpec implements Tupleable {
    public final String hook;
    public final String className;
    public final String method;
    /** Null for hooks that take no options. */
    public final ActionOption option;

    public HookSpec(String hook, String className, String method, ActionOption option) {
        this.hook = hook;
        this.className = className;
        this.method = method;
        this.option = option;
    }

    @Override
    public Tuple toTuple() {
        if (option == null) return Tuple.three(hook, className, method);
        List<Object> options = new ArrayList<>(1);
        options.add(option.toTuple());
        return Tuple.four(hook, className, method, options);
    }

    @Override
    public String toString() {
        return "HookSpec (hook=" + hook + ", className=" + className + ", method=" + method + ", option=" + option + ")";
    }
}
