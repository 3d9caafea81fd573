package io.emqx.extension.handler.codec;

import com.erlport.erlang.term.Atom;
import com.erlport.erlang.term.Tuple;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** One option of a hook: `topics` with filters. */
public class ActionOption implements Tupleable {
    public final String key;
    public final List<String> values;

    public ActionOption(String key, List<String> values) {
        this.key = key;
        this.values = Collections.unmodifiableList(new ArrayList<>(values));
    }

    @Override
    public Tuple toTuple() {
        List<Object> texts = new ArrayList<>(values.size());
        for (String value : values) texts.add(CodecUtil.binary(value));
        return Tuple.two(new Atom(key), texts);
    }

    @Override
    public String toString() {
        return "ActionOption (key=" + key + ", values=" + values + ")";
    }
}
