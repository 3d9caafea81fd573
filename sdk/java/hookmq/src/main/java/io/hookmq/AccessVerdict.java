package io.hookmq;

import java.util.Map;

/** Whether a client may come in, or may do what it asks for. */
public sealed interface AccessVerdict {
    /**
     * It may, and nobody else is asked. All fields may be null, for as it is.
     *
     * @param superuser client.authenticate: no permission is ever asked for
     * @param clientId client.authenticate: instead of the one in CONNECT
     * @param username client.authenticate: instead of the one in CONNECT
     * @param attributes client.authenticate: free for other hooks to read
     * @param expiresAt client.authenticate: milliseconds since the epoch; the client is disconnected then
     * @param cacheable client.authorize: may the broker remember the answer?
     */
    record Allow(
            Boolean superuser, String clientId, String username, Map<String, String> attributes, Long expiresAt, Boolean cacheable)
            implements AccessVerdict {
        public Allow withSuperuser(boolean superuser) {
            return new Allow(superuser, clientId, username, attributes, expiresAt, cacheable);
        }

        public Allow withClientId(String clientId) {
            return new Allow(superuser, clientId, username, attributes, expiresAt, cacheable);
        }

        public Allow withUsername(String username) {
            return new Allow(superuser, clientId, username, attributes, expiresAt, cacheable);
        }

        public Allow withAttributes(Map<String, String> attributes) {
            return new Allow(superuser, clientId, username, Map.copyOf(attributes), expiresAt, cacheable);
        }

        public Allow withExpiresAt(long expiresAt) {
            return new Allow(superuser, clientId, username, attributes, expiresAt, cacheable);
        }

        public Allow withCacheable(boolean cacheable) {
            return new Allow(superuser, clientId, username, attributes, expiresAt, cacheable);
        }
    }

    /**
     * It may not, and nobody else is asked.
     *
     * @param reasonCode client.authenticate: what an MQTT 5 client is told
     * @param reason client.authenticate: in words, or null
     * @param cacheable client.authorize: may the broker remember the answer? null: yes
     */
    record Deny(int reasonCode, String reason, Boolean cacheable) implements AccessVerdict {
        public Deny {
            ReasonCodes.refusing(reasonCode);
        }

        public Deny withCacheable(boolean cacheable) {
            return new Deny(reasonCode, reason, cacheable);
        }
    }

    /** Go on with this decision: later hooks may decide otherwise. */
    record Continue(AccessVerdict verdict) implements AccessVerdict {
        public Continue {
            if (verdict == null || verdict instanceof Continue) throw new IllegalArgumentException("Continue needs Allow or Deny");
        }
    }

    Allow ALLOW = new Allow(null, null, null, null, null, null);
    Deny DENY = new Deny(0x87, null, null);

    static Allow allow() {
        return ALLOW;
    }

    static Deny deny() {
        return DENY;
    }

    /** @param reasonCode of MQTT 5, from 0x80 on */
    static Deny deny(int reasonCode, String reason) {
        return new Deny(reasonCode, reason, null);
    }
}
