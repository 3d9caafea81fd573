package io.emqx.extension.handler;

import io.emqx.extension.handler.codec.ActionOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** For which topics the callbacks of messages are called: filters separated by commas. */
public final class ActionOptionConfig {
    /** What can be set. */
    public static class Keys {
        public static final String MESSAGE_PUBLISH_TOPICS = "message.publish.topics";
        public static final String MESSAGE_DELIVERED_TOPICS = "message.delivered.topics";
        public static final String MESSAGE_ACKED_TOPICS = "message.acked.topics";
        public static final String MESSAGE_DROPPED_TOPICS = "message.dropped.topics";

        private Keys() {}
    }

    private final Map<String, String> values = new ConcurrentHashMap<>();

    public ActionOptionConfig() {}

    /** All topics. */
    public static ActionOptionConfig getDefault() {
        return new ActionOptionConfig()
                .set(Keys.MESSAGE_PUBLISH_TOPICS, "#")
                .set(Keys.MESSAGE_DELIVERED_TOPICS, "#")
                .set(Keys.MESSAGE_ACKED_TOPICS, "#")
                .set(Keys.MESSAGE_DROPPED_TOPICS, "#");
    }

    public ActionOptionConfig set(String key, String value) {
        if (key == null) throw new NullPointerException("the key is null");
        values.put(key, value == null ? "" : value);
        return this;
    }

    /** The filters set for `key`, under the name `actionKey`. Nothing set, or blank: none, which means all topics. */
    public ActionOption buildOption(String key, String actionKey) {
        List<String> filters = new ArrayList<>();
        String value = values.get(key);
        if (value != null && !value.trim().isEmpty()) {
            for (String filter : value.split(",")) filters.add(filter);
        }
        return new ActionOption(actionKey, filters);
    }

    @Override
    public String toString() {
        return "ActionOptionConfig (values=" + values + ")";
    }
}
