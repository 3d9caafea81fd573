package io.hookmq.driver;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Finds the classes of the user: in folders, in the archives that lie in them, and in archives that are named themselves. */
final class Loader {
    private Loader() {}

    /** The folders and archives of a path, in which a file that is no archive stands for its folder. */
    static List<File> parts(String path) {
        List<File> found = new ArrayList<>();
        for (String part : path.split(File.pathSeparator)) {
            if (part.isEmpty()) continue;
            File file = new File(part).getAbsoluteFile();
            found.add(file.isFile() && !isArchive(file) ? file.getParentFile() : file);
        }
        return found;
    }

    /** With the archives that lie in the folders; each behind its folder. */
    static List<File> withArchives(List<File> parts) {
        List<File> found = new ArrayList<>();
        for (File part : parts) {
            found.add(part);
            File[] inside = part.isDirectory() ? part.listFiles() : null;
            if (inside == null) continue;
            Arrays.sort(inside);
            for (File one : inside) if (isArchive(one)) found.add(one);
        }
        return found;
    }

    /** @param first is looked into before all others; may be null */
    static URLClassLoader of(File first, List<File> parts) throws MalformedURLException {
        List<URL> found = new ArrayList<>();
        if (first != null) found.add(first.toURI().toURL());
        for (File part : parts) found.add(part.toURI().toURL());
        return new URLClassLoader(found.toArray(new URL[0]), Loader.class.getClassLoader());
    }

    private static boolean isArchive(File file) {
        String name = file.getName().toLowerCase(java.util.Locale.ROOT);
        return file.isFile() && (name.endsWith(".jar") || name.endsWith(".zip"));
    }

    /** By its binary name, or by its canonical one, in which nested classes are written with a dot as well. */
    static Class<?> find(String name, ClassLoader loader) throws ClassNotFoundException {
        String candidate = name;
        for (;;) {
            try {
                return Class.forName(candidate, true, loader);
            } catch (ClassNotFoundException missing) {
                int dot = candidate.lastIndexOf('.');
                if (dot < 0) throw new ClassNotFoundException(name, null);
                candidate = candidate.substring(0, dot) + '$' + candidate.substring(dot + 1);
            } catch (NoClassDefFoundError other) {
                // On a file system that ignores case, or a file in the wrong folder.
                throw new ClassNotFoundException(name + ": " + other.getMessage(), other);
            }
        }
    }
}
