package io.hookmq;

/**
 * May this client publish to, or subscribe to, this topic?
 *
 * @param topic a topic name, or for SUBSCRIBE a filter without its `$share/group/`
 * @param retain only of a PUBLISH
 * @param allowed what the configuration (`acl_nomatch`) or earlier hooks have decided
 */
public record AccessRequest(ClientInfo client, Action action, String topic, int qos, boolean retain, boolean allowed) {
    /** What it wants to do. */
    public enum Action {
        PUBLISH,
        SUBSCRIBE
    }
}
