package io.hookmq.driver;

import com.erlport.erlang.term.Atom;
import java.util.Arrays;

/**
 * Atoms and shapes that the broker has defined, by number. Written by the thread that reads frames, before it hands on the calls that
 * use them; never changed afterwards.
 */
final class Vocabulary {
    private volatile Atom[] atoms = new Atom[0];
    private volatile Atom[][] shapes = new Atom[0][];
    /** The same keys, as interned texts. */
    private volatile String[][] names = new String[0][];

    /** Definitions: a number of atoms, then a number of shapes, each with its keys. */
    void read(Input input) {
        int newAtoms = input.count();
        if (newAtoms > 0) {
            Atom[] all = Arrays.copyOf(atoms, atoms.length + newAtoms);
            for (int index = atoms.length; index < all.length; index += 1) all[index] = new Atom(input.text());
            atoms = all;
        }
        int newShapes = input.count();
        if (newShapes > 0) {
            Atom[][] all = Arrays.copyOf(shapes, shapes.length + newShapes);
            String[][] allNames = Arrays.copyOf(names, all.length);
            for (int index = shapes.length; index < all.length; index += 1) {
                Atom[] keys = new Atom[input.count()];
                allNames[index] = new String[keys.length];
                for (int key = 0; key < keys.length; key += 1) {
                    allNames[index][key] = input.text().intern();
                    keys[key] = new Atom(allNames[index][key]);
                }
                all[index] = keys;
            }
            names = allNames;
            shapes = all;
        }
    }

    Atom atom(int number) {
        return atoms[number];
    }

    Atom[] shape(int number) {
        return shapes[number];
    }

    String[] names(int number) {
        return names[number];
    }
}
