package io.hookmq.driver;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Handlers that lie in the path as sources: they are compiled when the handler is loaded. */
final class Sources {
    private static final int MOST_FILES = 1000;
    private static final int DEEPEST = 16;
    private static final int ERRORS_SHOWN = 3;

    private Sources() {}

    /**
     * Compiles the sources of the folder with the given class, when there is no compiled class that is as new.
     *
     * @param path folders and archives, as the operator gave them
     * @return a folder with the classes; null when there was nothing to do
     */
    static File compile(List<File> path, String className) throws InitFailure, IOException {
        for (File folder : path) {
            if (!folder.isDirectory()) continue;
            String name = className.replace('.', File.separatorChar);
            File source = new File(folder, name + ".java");
            if (!source.isFile()) continue;
            File compiled = new File(folder, name + ".class");
            if (compiled.isFile() && compiled.lastModified() >= source.lastModified()) return null;
            return compile(folder, source, path);
        }
        return null;
    }

    private static File compile(File folder, File main, List<File> path) throws InitFailure, IOException {
        JavaCompiler compiler = compiler();
        if (compiler == null)
            throw new InitFailure(main.getName() + " is a source, and this Java (" + System.getProperty("java.home")
                    + ") has no compiler: install a JDK, or compile it and put the classes in the path");
        List<File> files;
        try (Stream<Path> all = Files.walk(folder.toPath(), DEEPEST)) {
            files = all.filter(file -> file.toString().endsWith(".java")).limit(MOST_FILES).map(Path::toFile).collect(Collectors.toList());
        }
        File out = Files.createTempDirectory("hookmq-classes").toFile();
        deleteAtEnd(out);
        List<String> options = new ArrayList<>(Arrays.asList("-g", "-parameters", "-nowarn", "-proc:none", "-Xlint:none", "-d", out.getPath()));
        options.add("-cp");
        options.add(System.getProperty("java.class.path") + File.pathSeparator + joined(path));
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(found, null, StandardCharsets.UTF_8)) {
            boolean done = compiler.getTask(null, manager, found, options, null, manager.getJavaFileObjectsFromFiles(files)).call();
            if (!done) throw new InitFailure(described(found.getDiagnostics()));
        }
        return out;
    }

    private static JavaCompiler compiler() {
        try {
            return ToolProvider.getSystemJavaCompiler();
        } catch (LinkageError small) {
            return null;
        }
    }

    private static String joined(List<File> path) {
        return path.stream().map(File::getPath).collect(Collectors.joining(File.pathSeparator));
    }

    private static String described(List<Diagnostic<? extends JavaFileObject>> diagnostics) {
        List<String> errors = new ArrayList<>();
        for (Diagnostic<? extends JavaFileObject> one : diagnostics) {
            if (one.getKind() != Diagnostic.Kind.ERROR) continue;
            String text = one.getMessage(null).replace('\n', ' ').replaceAll(" +", " ").trim();
            JavaFileObject source = one.getSource();
            String place = source == null ? "" : new File(source.getName()).getName() + " line " + one.getLineNumber() + ": ";
            errors.add(place + text);
        }
        String shown = String.join("; ", errors.subList(0, Math.min(ERRORS_SHOWN, errors.size())));
        return errors.size() > ERRORS_SHOWN ? shown + "; and " + (errors.size() - ERRORS_SHOWN) + " more errors" : shown;
    }

    private static void deleteAtEnd(File folder) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try (Stream<Path> all = Files.walk(folder.toPath())) {
                all.sorted((one, other) -> other.compareTo(one)).forEach(file -> file.toFile().delete());
            } catch (IOException gone) {
                // Then there is nothing to delete.
            }
        }));
    }
}
