package io.hookmq.driver;

import com.erlport.erlang.term.Atom;
import io.emqx.extension.handler.codec.State;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.math.BigInteger;

/** The state that init has answered: each call gets a copy of its own, so that what a callback changes in it is lost. */
abstract class StateCopies {
    abstract Object copy() throws IOException, ClassNotFoundException;

    static StateCopies of(Object state) throws InitFailure {
        if (isFixed(state)) return new Shared(state);
        if (state.getClass() == State.class && state.toString().equals(new State().toString())) return new Sdk();
        try {
            return new Serialized(state);
        } catch (IOException | RuntimeException failed) {
            throw new InitFailure("the state in the answer of init, a " + state.getClass().getName() + ", cannot be serialized: "
                    + failed.getMessage());
        }
    }

    private static boolean isFixed(Object state) {
        return state == null || state instanceof String || state instanceof Integer || state instanceof Long
                || state instanceof Boolean || state instanceof Double || state instanceof BigInteger || state instanceof Enum
                || state instanceof Atom;
    }

    private static final class Shared extends StateCopies {
        private final Object state;

        Shared(Object state) {
            this.state = state == null ? new Atom("undefined") : state;
        }

        @Override
        Object copy() {
            return state;
        }
    }

    /** The one that handlers of the SDK begin with. */
    private static final class Sdk extends StateCopies {
        @Override
        Object copy() {
            return new State();
        }
    }

    private static final class Serialized extends StateCopies {
        private final byte[] bytes;
        private final ClassLoader loader;

        Serialized(Object state) throws IOException {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (ObjectOutputStream objects = new ObjectOutputStream(out)) {
                objects.writeObject(state);
            }
            bytes = out.toByteArray();
            loader = Thread.currentThread().getContextClassLoader();
        }

        @Override
        Object copy() throws IOException, ClassNotFoundException {
            try (ObjectInputStream objects = new Objects(new ByteArrayInputStream(bytes), loader)) {
                return objects.readObject();
            }
        }
    }

    /** Finds the user's classes. */
    private static final class Objects extends ObjectInputStream {
        private final ClassLoader loader;

        Objects(ByteArrayInputStream in, ClassLoader loader) throws IOException {
            super(in);
            this.loader = loader;
        }

        @Override
        protected Class<?> resolveClass(ObjectStreamClass description) throws IOException, ClassNotFoundException {
            try {
                return Class.forName(description.getName(), false, loader);
            } catch (ClassNotFoundException missing) {
                return super.resolveClass(description);
            }
        }
    }
}
