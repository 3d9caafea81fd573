package io.hookmq;

/** What becomes of a message. A {@link Message} is one: go on with this message. */
public sealed interface PublishVerdict {
    /** Go on with this message: hooks after this one see it, and may decide otherwise. */
    non-sealed interface Changed extends PublishVerdict {}

    /** Go on, and ask no further hook. `message` null: as it is. */
    record Stop(Message message) implements PublishVerdict {}

    /** Nobody gets the message; its publisher is acknowledged as usual. `reason`: a short word for metrics and logs, or null. */
    record Drop(String reason) implements PublishVerdict {}

    /** Nobody gets the message; an MQTT 5 publisher is told the code and the reason (or null). */
    record Reject(int reasonCode, String reason) implements PublishVerdict {
        public Reject {
            ReasonCodes.refusing(reasonCode);
        }
    }

    /** Nobody gets the message, and its publisher is disconnected. */
    record Disconnect(int reasonCode, String reason) implements PublishVerdict {
        public Disconnect {
            ReasonCodes.refusing(reasonCode);
        }
    }

    static PublishVerdict stop() {
        return new Stop(null);
    }

    static PublishVerdict stop(Message message) {
        return new Stop(message);
    }

    static PublishVerdict drop() {
        return new Drop(null);
    }

    static PublishVerdict drop(String reason) {
        return new Drop(reason);
    }

    /** @param reasonCode of MQTT 5, from 0x80 on */
    static PublishVerdict reject(int reasonCode) {
        return new Reject(reasonCode, null);
    }

    static PublishVerdict reject(int reasonCode, String reason) {
        return new Reject(reasonCode, reason);
    }

    static PublishVerdict disconnect(int reasonCode) {
        return new Disconnect(reasonCode, null);
    }

    static PublishVerdict disconnect(int reasonCode, String reason) {
        return new Disconnect(reasonCode, reason);
    }
}
