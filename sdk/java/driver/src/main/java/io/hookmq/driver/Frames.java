package io.hookmq.driver;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/** Cuts what arrives into frames: four bytes of length, the highest first, then the body. */
final class Frames {
    private static final int READ_AHEAD = 64 * 1024;

    private final InputStream input;
    private final byte[] buffer = new byte[READ_AHEAD];
    private int from;
    private int to;

    Frames(InputStream input) {
        this.input = input;
    }

    /** The body of the next frame, as an array of its own: parts of it are read later, by others. */
    byte[] next() throws IOException {
        while (to - from < 4) more();
        int length = new Input(buffer, from).integer();
        if (length <= 0) throw new IOException("a frame of " + length + " bytes");
        from += 4;
        byte[] frame = new byte[length];
        int here = Math.min(length, to - from);
        System.arraycopy(buffer, from, frame, 0, here);
        from += here;
        while (here < length) {
            int count = input.read(frame, here, length - here);
            if (count < 0) throw new EOFException();
            here += count;
        }
        return frame;
    }

    private void more() throws IOException {
        if (from > 0) {
            System.arraycopy(buffer, from, buffer, 0, to - from);
            to -= from;
            from = 0;
        }
        int count = input.read(buffer, to, buffer.length - to);
        if (count < 0) throw new EOFException();
        to += count;
    }
}
