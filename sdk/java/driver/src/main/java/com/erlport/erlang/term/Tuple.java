package com.erlport.erlang.term;

import java.io.Serializable;
import java.util.Arrays;

/** A fixed number of values; the first one has index 0. */
public class Tuple implements Serializable {
    private static final long serialVersionUID = 1L;

    public Object[] elements;

    /** So many nulls. */
    public Tuple(Integer size) {
        elements = new Object[size];
    }

    private Tuple(Object[] elements) {
        this.elements = elements;
    }

    public static Tuple two(Object first, Object second) {
        return new Tuple(new Object[] {first, second});
    }

    public static Tuple three(Object first, Object second, Object third) {
        return new Tuple(new Object[] {first, second, third});
    }

    public static Tuple four(Object first, Object second, Object third, Object fourth) {
        return new Tuple(new Object[] {first, second, third, fourth});
    }

    public Object get(Integer index) {
        return elements[index];
    }

    public void set(Integer index, Object value) {
        elements[index] = value;
    }

    public int length() {
        return elements.length;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Tuple && Arrays.deepEquals(((Tuple) other).elements, elements);
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(elements);
    }

    @Override
    public String toString() {
        return "Tuple " + Arrays.deepToString(elements);
    }
}
