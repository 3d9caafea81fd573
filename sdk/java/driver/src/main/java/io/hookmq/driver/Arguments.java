package io.hookmq.driver;

/** The arguments of one call, not yet read. To be read once, by one thread. */
public final class Arguments {
    private final Input input;
    private final Vocabulary vocabulary;
    private final int count;

    Arguments(Input input, Vocabulary vocabulary, int count) {
        this.input = input;
        this.vocabulary = vocabulary;
        this.count = count;
    }

    public int count() {
        return count;
    }

    /** With the types that EMQX 4.1 has for them; `room` more elements at the end are left null. */
    public Object[] compatible(int room) {
        Object[] values = new Object[count + room];
        for (int index = 0; index < count; index += 1) values[index] = Values.read(input, vocabulary);
        return values;
    }

    /** Texts as String, bytes as byte[], records as {@link Fields}, lists as List, pairs as Tuple, what is not set as null. */
    public Object[] modern() {
        Object[] values = new Object[count];
        for (int index = 0; index < count; index += 1) values[index] = Values.readModern(input, vocabulary);
        return values;
    }
}
