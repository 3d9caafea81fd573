package io.hookmq.driver;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;

/** Finds methods by class, name and number of parameters. Of each class that has instance methods there is one object. */
final class Methods {
    private final ClassLoader loader;
    private final Map<Class<?>, Object> objects = new HashMap<>();

    Methods(ClassLoader loader) {
        this.loader = loader;
    }

    Bound find(String className, String name, int parameters) throws Throwable {
        Class<?> owner;
        try {
            owner = Loader.find(className, loader);
        } catch (ClassNotFoundException missing) {
            throw new ClassNotFoundException("there is no class " + missing.getMessage() + " in the path of the driver");
        }
        Method method = best(owner, name, parameters);
        if (method == null)
            throw new NoSuchMethodException(
                    "class " + owner.getName() + " has no method " + name + " with " + parameters + (parameters == 1 ? " parameter" : " parameters"));
        method.setAccessible(true);
        return new Bound(method, Modifier.isStatic(method.getModifiers()) ? null : object(owner));
    }

    /** The nearest class first; among several of one class the one that takes the most general parameters. */
    private static Method best(Class<?> owner, String name, int parameters) {
        for (Class<?> each = owner; each != null; each = each.getSuperclass()) {
            Method found = null;
            for (Method method : each.getDeclaredMethods()) {
                if (!method.getName().equals(name) || method.getParameterTypes().length != parameters || method.isBridge()) continue;
                if (found == null || generality(method) > generality(found)) found = method;
            }
            if (found != null) return found;
        }
        for (Method method : owner.getMethods())
            if (method.getName().equals(name) && method.getParameterTypes().length == parameters) return method;
        return null;
    }

    private static int generality(Method method) {
        int count = 0;
        for (Class<?> type : method.getParameterTypes()) if (type == Object.class) count += 1;
        return count;
    }

    private synchronized Object object(Class<?> owner) throws Throwable {
        Object known = objects.get(owner);
        if (known != null) return known;
        Constructor<?> constructor;
        try {
            constructor = owner.getDeclaredConstructor();
        } catch (NoSuchMethodException none) {
            throw new NoSuchMethodException("class " + owner.getName() + " has no constructor without parameters");
        }
        constructor.setAccessible(true);
        try {
            Object made = constructor.newInstance();
            objects.put(owner, made);
            return made;
        } catch (InvocationTargetException failed) {
            throw failed.getCause();
        }
    }

    /** A method, and the object that it is called on. */
    static final class Bound {
        private final Method method;
        private final Object object;

        Bound(Method method, Object object) {
            this.method = method;
            this.object = object;
        }

        Object invoke(Object... arguments) throws Throwable {
            try {
                return method.invoke(object, arguments);
            } catch (InvocationTargetException failed) {
                throw failed.getCause();
            }
        }
    }
}
