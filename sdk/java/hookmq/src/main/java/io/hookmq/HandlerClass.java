package io.hookmq;

import java.lang.annotation.Annotation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;

/** Finds the hooks of a class: those of its {@link HookSource}, and its methods with annotations such as {@link OnMessagePublish}. */
public final class HandlerClass {
    private HandlerClass() {}

    /** Whether a class is a handler of this kind at all. */
    public static boolean isOne(Class<?> owner) {
        if (HookSource.class.isAssignableFrom(owner)) return true;
        return Arrays.stream(owner.getDeclaredMethods()).anyMatch(method -> !pointsOf(method).isEmpty());
    }

    /** An object of the class, or null when none is needed because all its hooks are static methods. */
    public static Object instantiate(Class<?> owner) throws Throwable {
        boolean needed = HookSource.class.isAssignableFrom(owner)
                || annotated(owner).stream().anyMatch(method -> !Modifier.isStatic(method.getModifiers()));
        if (!needed) return null;
        try {
            var constructor = owner.getDeclaredConstructor();
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (NoSuchMethodException none) {
            throw new NoSuchMethodException("class " + owner.getName() + " has no constructor without parameters");
        } catch (InvocationTargetException failed) {
            throw failed.getCause();
        }
    }

    /**
     * @param object of the class; may be null, see {@link #instantiate}
     * @throws IllegalArgumentException says which method is wrong, and what it should be
     */
    public static List<Hook> hooksOf(Class<?> owner, Object object) {
        List<Hook> hooks = new ArrayList<>();
        if (object instanceof HookSource source) hooks.addAll(source.hooks().all());
        for (Method method : annotated(owner)) {
            for (Point point : pointsOf(method)) hooks.add(hookOf(owner, object, method, point));
        }
        return hooks;
    }

    /** By name, because Java does not keep the order of the source. */
    private static List<Method> annotated(Class<?> owner) {
        return Arrays.stream(owner.getDeclaredMethods())
                .filter(method -> !method.isBridge() && !pointsOf(method).isEmpty())
                .sorted(Comparator.comparing(Method::getName).thenComparing(Method::toGenericString))
                .toList();
    }

    private static List<Point> pointsOf(Method method) {
        return Arrays.stream(Point.values()).filter(point -> method.isAnnotationPresent(point.annotation)).toList();
    }

    private static Hook hookOf(Class<?> owner, Object object, Method method, Point point) {
        String target = owner.getSimpleName() + "." + method.getName();
        Class<?>[] parameters = method.getParameterTypes();
        if (parameters.length != 1 || !parameters[0].isAssignableFrom(point.event))
            throw new IllegalArgumentException(target + ": @" + point.annotation.getSimpleName() + " needs a method with one parameter, a "
                    + point.event.getSimpleName());
        checkReturn(target, method, point);
        method.setAccessible(true);
        Object receiver = Modifier.isStatic(method.getModifiers()) ? null : object;
        boolean observes = point.answer != Point.Answer.NONE && method.getReturnType() == void.class;
        return new Hook(point, target, topicsOf(method.getAnnotation(point.annotation)), observes, event -> {
            try {
                Object answer = method.invoke(receiver, event);
                return answer instanceof CompletionStage<?> later ? later.toCompletableFuture().get() : answer;
            } catch (InvocationTargetException | ExecutionException failed) {
                throw failed.getCause();
            }
        });
    }

    private static void checkReturn(String target, Method method, Point point) {
        Class<?> type = method.getReturnType();
        if (point.answer == Point.Answer.NONE || type == void.class || CompletionStage.class.isAssignableFrom(type)) return;
        boolean fits = point.answer == Point.Answer.MESSAGE
                ? PublishVerdict.class.isAssignableFrom(type)
                : AccessVerdict.class.isAssignableFrom(type) || type == boolean.class || type == Boolean.class;
        if (fits) return;
        throw new IllegalArgumentException(target + ": returns " + type.getSimpleName() + "; @" + point.annotation.getSimpleName() + " needs "
                + (point.answer == Point.Answer.MESSAGE ? "PublishVerdict, Message or void" : "AccessVerdict, boolean or void"));
    }

    private static List<String> topicsOf(Annotation annotation) {
        try {
            return List.of((String[]) annotation.annotationType().getMethod("topics").invoke(annotation));
        } catch (ReflectiveOperationException none) {
            return List.of();
        }
    }
}
