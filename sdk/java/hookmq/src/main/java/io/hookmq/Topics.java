package io.hookmq;

import java.util.List;

/** Topic filters as MQTT has them. */
public final class Topics {
    private Topics() {}

    /** What is wrong with a filter; null when nothing is. */
    static String wrong(String filter) {
        if (filter.isEmpty()) return "is empty";
        String[] levels = filter.split("/", -1);
        for (int index = 0; index < levels.length; index += 1) {
            String level = levels[index];
            if (level.equals("#") && index != levels.length - 1) return "has '#' before its last level";
            if (level.length() > 1 && (level.contains("#") || level.contains("+"))) return "has a wildcard that is not a level of its own";
        }
        return null;
    }

    /** Whether a filter matches a topic. Wildcards at the start do not match topics that begin with `$` [MQTT-4.7.2-1]. */
    public static boolean matches(String filter, String topic) {
        if (topic.startsWith("$") && (filter.startsWith("#") || filter.startsWith("+"))) return false;
        String[] wanted = filter.split("/", -1);
        String[] levels = topic.split("/", -1);
        for (int index = 0; index < wanted.length; index += 1) {
            if (wanted[index].equals("#")) return true;
            if (index >= levels.length) return false;
            if (!wanted[index].equals("+") && !wanted[index].equals(levels[index])) return false;
        }
        return wanted.length == levels.length;
    }

    /** No filter: all topics. */
    public static boolean matchesAny(List<String> filters, String topic) {
        if (filters.isEmpty()) return true;
        for (String filter : filters) if (matches(filter, topic)) return true;
        return false;
    }
}
