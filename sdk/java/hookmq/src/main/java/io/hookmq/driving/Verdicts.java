package io.hookmq.driving;

import com.erlport.erlang.term.Tuple;
import io.hookmq.AccessVerdict;
import io.hookmq.Message;
import io.hookmq.MessageProperties;
import io.hookmq.PublishVerdict;
import io.hookmq.UserProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What the broker is sent for a verdict. Its side is providers/driver/src/modern/verdict.ts. */
final class Verdicts {
    private Verdicts() {}

    /** Null: no opinion. */
    static Object write(Object verdict, Object event) {
        if (verdict == null || verdict == event) return null;
        if (verdict instanceof Message message) return Tuple.two("ok", changes((Message) event, message));
        if (verdict instanceof PublishVerdict.Stop stop)
            return Tuple.two("stop", stop.message() == null ? null : changes((Message) event, stop.message()));
        if (verdict instanceof PublishVerdict.Drop drop) return Tuple.two("drop", drop.reason());
        if (verdict instanceof PublishVerdict.Reject reject) return Tuple.three("reject", reject.reasonCode(), reject.reason());
        if (verdict instanceof PublishVerdict.Disconnect end) return Tuple.three("disconnect", end.reasonCode(), end.reason());
        if (verdict instanceof AccessVerdict.Continue on) return Tuple.two("ok", decision(on.verdict()));
        return Tuple.two("stop", decision((AccessVerdict) verdict));
    }

    private static Tuple decision(AccessVerdict verdict) {
        if (verdict instanceof AccessVerdict.Deny deny) return Tuple.four("deny", deny.reasonCode(), deny.reason(), deny.cacheable());
        AccessVerdict.Allow allow = (AccessVerdict.Allow) verdict;
        Tuple tuple = new Tuple(7);
        tuple.elements = new Object[] {
            "allow", allow.superuser(), allow.clientId(), allow.username(), pairs(allow.attributes()), allow.expiresAt(), allow.cacheable()
        };
        return tuple;
    }

    private static List<Object> pairs(Map<String, String> attributes) {
        if (attributes == null) return null;
        List<Object> pairs = new ArrayList<>();
        attributes.forEach((name, value) -> pairs.add(Tuple.two(name, value)));
        return pairs;
    }

    /** Pairs of field and value, of those alone that are not what they were. */
    private static List<Object> changes(Message before, Message after) {
        List<Object> changes = new ArrayList<>();
        add(changes, "topic", before.topic(), after.topic());
        if (!Arrays.equals(before.payload(), after.payload())) changes.add(Tuple.two("payload", after.payload()));
        add(changes, "qos", before.qos(), after.qos());
        add(changes, "retain", before.retain(), after.retain());
        MessageProperties old = before.properties();
        MessageProperties changed = after.properties();
        if (old == changed) return changes;
        add(changes, "content_type", old.contentType(), changed.contentType());
        add(changes, "response_topic", old.responseTopic(), changed.responseTopic());
        if (!Arrays.equals(old.correlationData(), changed.correlationData()))
            changes.add(Tuple.two("correlation_data", changed.correlationData()));
        add(changes, "message_expiry_interval", old.messageExpiryInterval(), changed.messageExpiryInterval());
        add(changes, "payload_format_indicator", old.payloadFormatIndicator(), changed.payloadFormatIndicator());
        if (!old.userProperties().equals(changed.userProperties())) {
            List<Object> pairs = new ArrayList<>();
            for (UserProperty user : changed.userProperties()) pairs.add(Tuple.two(user.name(), user.value()));
            changes.add(Tuple.two("user_properties", pairs));
        }
        return changes;
    }

    private static void add(List<Object> changes, String field, Object before, Object after) {
        if (!Objects.equals(before, after)) changes.add(Tuple.two(field, after));
    }
}
