package io.hookmq.driver;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Field;

/** The socket that this process has been started with, as file descriptor 3: frames do not travel over stdin and stdout. */
final class Socket {
    final InputStream input;
    final OutputStream output;

    private Socket(FileDescriptor descriptor) {
        input = new FileInputStream(descriptor);
        output = new FileOutputStream(descriptor);
    }

    /** No version of Java has an API for this. The manifest of the archive opens java.io for the reflection. */
    static Socket inherited(int number) throws IOException {
        try {
            FileDescriptor descriptor = new FileDescriptor();
            Field field = FileDescriptor.class.getDeclaredField("fd");
            field.setAccessible(true);
            field.setInt(descriptor, number);
            return new Socket(descriptor);
        } catch (ReflectiveOperationException | RuntimeException refused) {
            throw new IOException("this Java does not let the driver use file descriptor " + number + ": " + refused);
        }
    }
}
