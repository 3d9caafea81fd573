package io.hookmq.driver;

import com.erlport.erlang.term.Atom;
import com.erlport.erlang.term.Binary;
import com.erlport.erlang.term.Tuple;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** A class with `init`, `deinit` and callbacks as EMQX 4.1 calls them. */
final class CompatibleHandler implements Handler {
    private static final List<String> PROPERTIES_SECOND = Arrays.asList("client_connect", "client_subscribe", "client_unsubscribe");

    private final Methods methods;
    private final String className;
    private final List<Callback> callbacks = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private StateCopies state;

    private CompatibleHandler(Methods methods, String className) {
        this.methods = methods;
        this.className = className;
    }

    /** Calls `init` of the class. */
    static CompatibleHandler start(String className, ClassLoader loader) throws Throwable {
        Methods methods = new Methods(loader);
        CompatibleHandler handler = new CompatibleHandler(methods, className);
        Object answer = methods.find(className, "init", 0).invoke();
        handler.take(answer);
        return handler;
    }

    private void take(Object answer) throws InitFailure {
        String expected = "init of " + className + " must answer (0, (hooks, state)); it answered ";
        Object[] pair = elements(answer, 2, expected);
        if (isInteger(pair[0], 1)) throw new InitFailure("init of " + className + " refused: " + Texts.of(pair[1]));
        if (!isInteger(pair[0], 0)) throw new InitFailure(expected + Texts.of(answer));
        Object[] inner = elements(pair[1], 2, expected);
        state = StateCopies.of(inner[1]);
        int place = 0;
        for (Object spec : list(inner[0], "the hooks in the answer of init must be a list; it is ")) {
            place += 1;
            add(spec, "hook " + place + " in the answer of init ");
        }
    }

    private void add(Object spec, String which) throws InitFailure {
        Object[] parts = spec instanceof Tuple ? ((Tuple) spec).elements : spec instanceof Object[] ? (Object[]) spec : null;
        if (parts == null || parts.length < 3 || parts.length > 4)
            throw new InitFailure(which + "must be (hook, class, method) or (hook, class, method, options); it is " + Texts.of(spec));
        String[] texts = new String[3];
        for (int index = 0; index < 3; index += 1) {
            texts[index] = Texts.textOf(parts[index]);
            if (texts[index] == null) throw new InitFailure(which + "must name hook, class and method as text; it is " + Texts.of(spec));
        }
        List<String> topics = parts.length == 4 ? topics(parts[3], which) : Collections.<String>emptyList();
        callbacks.add(new Named(texts[0], texts[1], texts[2], topics));
    }

    /** A list of (key, value), of which `topics` counts; a list of plain texts is taken for the topics. */
    private List<String> topics(Object options, String which) throws InitFailure {
        List<String> topics = new ArrayList<>();
        for (Object option : list(options, which + "has options that are no list: ")) {
            if (option instanceof Tuple && ((Tuple) option).elements.length == 2) {
                Object[] pair = ((Tuple) option).elements;
                if ("topics".equals(Texts.textOf(pair[0]))) {
                    for (Object filter : list(pair[1], which + "has topics that are no list: ")) addFilter(topics, filter, which);
                }
            } else addFilter(topics, option, which);
        }
        return topics;
    }

    private static void addFilter(List<String> topics, Object filter, String which) throws InitFailure {
        String text = Texts.textOf(filter);
        if (text == null) throw new InitFailure(which + "has a topic that is no text: " + Texts.of(filter));
        topics.add(text);
    }

    private static boolean isInteger(Object value, int wanted) {
        return value instanceof Number && ((Number) value).longValue() == wanted;
    }

    private static Object[] elements(Object value, int length, String message) throws InitFailure {
        Object[] elements = value instanceof Tuple ? ((Tuple) value).elements : null;
        if (elements == null || elements.length != length) throw new InitFailure(message + Texts.of(value));
        return elements;
    }

    private static List<?> list(Object value, String message) throws InitFailure {
        if (value instanceof List) return (List<?>) value;
        if (value instanceof Object[]) return Arrays.asList((Object[]) value);
        throw new InitFailure(message + Texts.of(value));
    }

    @Override
    public String style() {
        return "compatible";
    }

    @Override
    public List<Callback> callbacks() {
        return callbacks;
    }

    @Override
    public List<String> warnings() {
        return warnings;
    }

    @Override
    public void close() throws Throwable {
        Methods.Bound deinit;
        try {
            deinit = methods.find(className, "deinit", 0);
        } catch (NoSuchMethodException none) {
            return;
        }
        deinit.invoke();
    }

    /** Names of properties are symbols in EMQX 4.1, and texts on the way. */
    private static Object withSymbols(Object pairs) {
        if (!(pairs instanceof List)) return pairs;
        for (Object pair : (List<?>) pairs) {
            Object[] elements = ((Tuple) pair).elements;
            if (elements[0] instanceof Binary) elements[0] = new Atom(elements[0].toString());
        }
        return pairs;
    }

    /** Looked up when it is first called, so that a missing one is an error of that call alone. */
    private final class Named extends Callback {
        private final String owner;
        private final String method;
        /** Place of the argument with MQTT 5 properties; -1: none. */
        private final int properties;
        private volatile Methods.Bound bound;

        Named(String hook, String owner, String method, List<String> topics) {
            super(hook, owner + "." + method, topics, false);
            this.owner = owner;
            this.method = method;
            this.properties = hook.equals("client_connack") ? 2 : PROPERTIES_SECOND.contains(hook) ? 1 : -1;
        }

        @Override
        public Object call(Arguments arguments) throws Throwable {
            Object[] values = arguments.compatible(1);
            Methods.Bound target = bound;
            if (target == null) {
                target = methods.find(owner, method, values.length);
                bound = target;
            }
            if (properties >= 0 && properties < values.length - 1) values[properties] = withSymbols(values[properties]);
            values[values.length - 1] = state.copy();
            return target.invoke(values);
        }
    }
}
