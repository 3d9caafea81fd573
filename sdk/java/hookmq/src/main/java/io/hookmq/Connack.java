package io.hookmq;

import java.util.Map;

/**
 * An answer to CONNECT that is about to be sent.
 *
 * @param reason name of the reason code: `success`, `not_authorized` …
 * @param properties as in {@link ConnectInfo}
 */
public record Connack(ConnectInfo connect, String reason, Map<String, Object> properties) {
    public boolean accepted() {
        return reason.equals("success");
    }
}
