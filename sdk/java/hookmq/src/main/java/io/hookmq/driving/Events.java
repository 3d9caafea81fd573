package io.hookmq.driving;

import com.erlport.erlang.term.Tuple;
import io.hookmq.AccessRequest;
import io.hookmq.Acked;
import io.hookmq.ClientInfo;
import io.hookmq.ConnectInfo;
import io.hookmq.Connack;
import io.hookmq.Credentials;
import io.hookmq.Delivered;
import io.hookmq.DeliveryDropped;
import io.hookmq.Disconnected;
import io.hookmq.Dropped;
import io.hookmq.Message;
import io.hookmq.MessageProperties;
import io.hookmq.Point;
import io.hookmq.SubscribeRequest;
import io.hookmq.Subscribed;
import io.hookmq.Subscription;
import io.hookmq.Terminated;
import io.hookmq.UnsubscribeRequest;
import io.hookmq.Unsubscribed;
import io.hookmq.UserProperty;
import io.hookmq.driver.Fields;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Events of what the broker sends. Its side is providers/driver/src/modern. */
final class Events {
    private Events() {}

    static Object read(Point point, Object[] arguments) {
        return switch (point) {
            case CLIENT_CONNECT -> connect((Fields) arguments[0], arguments[1]);
            case CLIENT_CONNACK -> new Connack(
                    connect((Fields) arguments[0], ((Fields) arguments[0]).get("properties")), (String) arguments[2], properties(arguments[3]));
            case CLIENT_CONNECTED, CLIENT_PING, SESSION_CREATED, SESSION_RESUMED, SESSION_DISCARDED, SESSION_TAKENOVER -> client(arguments[0]);
            case CLIENT_DISCONNECTED -> new Disconnected(client(arguments[0]), (String) arguments[1]);
            case CLIENT_AUTHENTICATE -> credentials((Fields) arguments[0], (Boolean) arguments[1]);
            case CLIENT_AUTHORIZE -> new AccessRequest(
                    client(arguments[0]),
                    arguments[1].equals("publish") ? AccessRequest.Action.PUBLISH : AccessRequest.Action.SUBSCRIBE,
                    (String) arguments[2],
                    (Integer) arguments[3],
                    (Boolean) arguments[4],
                    (Boolean) arguments[5]);
            case CLIENT_SUBSCRIBE -> new SubscribeRequest(client(arguments[0]), subscriptions(arguments[2]), properties(arguments[1]));
            case CLIENT_UNSUBSCRIBE -> new UnsubscribeRequest(client(arguments[0]), texts(arguments[2]), properties(arguments[1]));
            case SESSION_SUBSCRIBED -> new Subscribed(client(arguments[0]), subscription(arguments[1]), (Boolean) arguments[2]);
            case SESSION_UNSUBSCRIBED -> new Unsubscribed(client(arguments[0]), ((Fields) arguments[1]).text("filter"));
            case SESSION_TERMINATED -> new Terminated(client(arguments[0]), (String) arguments[1]);
            case MESSAGE_PUBLISH -> message(arguments[0]);
            case MESSAGE_DELIVERED -> new Delivered(client(arguments[0]), message(arguments[1]));
            case MESSAGE_ACKED -> new Acked(client(arguments[0]), message(arguments[1]));
            case MESSAGE_DROPPED -> new Dropped(message(arguments[0]), (String) arguments[1]);
            case DELIVERY_DROPPED -> new DeliveryDropped(client(arguments[0]), message(arguments[1]), (String) arguments[2]);
        };
    }

    private static ConnectInfo connect(Fields fields, Object properties) {
        return new ConnectInfo(
                fields.text("client_id"),
                fields.text("username"),
                fields.text("peer_host"),
                fields.integer("peer_port"),
                fields.integer("socket_port"),
                fields.text("protocol_name"),
                fields.integer("protocol_version"),
                fields.bool("clean_start"),
                fields.integer("keep_alive"),
                properties(properties));
    }

    private static ClientInfo client(Object argument) {
        Fields fields = (Fields) argument;
        return new ClientInfo(
                fields.text("client_id"),
                fields.text("username"),
                fields.text("protocol"),
                fields.integer("protocol_version"),
                fields.text("peer_host"),
                fields.integer("peer_port"),
                fields.integer("socket_port"),
                fields.text("mountpoint"),
                fields.bool("superuser"),
                fields.bool("anonymous"),
                fields.text("common_name"),
                fields.text("subject"),
                attributes((List<?>) fields.get("attributes")),
                fields.text("node"));
    }

    private static Map<String, String> attributes(List<?> pairs) {
        if (pairs.isEmpty()) return Map.of();
        Map<String, String> found = new LinkedHashMap<>();
        for (Object pair : pairs) found.put((String) ((Tuple) pair).elements[0], (String) ((Tuple) pair).elements[1]);
        return Collections.unmodifiableMap(found);
    }

    private static Credentials credentials(Fields fields, boolean allowed) {
        return new Credentials(
                client(fields.get("client")),
                fields.bytes("password"),
                fields.text("authentication_method"),
                fields.bytes("authentication_data"),
                allowed);
    }

    private static Message message(Object argument) {
        Fields fields = (Fields) argument;
        return new Message(
                fields.text("id"),
                fields.text("topic"),
                fields.bytes("payload"),
                fields.integer("qos"),
                fields.bool("retain"),
                fields.bool("dup"),
                fields.text("sender"),
                fields.longInteger("timestamp"),
                fields.text("username"),
                fields.text("protocol"),
                fields.text("peer_host"),
                fields.text("node"),
                messageProperties((List<?>) fields.get("properties")));
    }

    private static MessageProperties messageProperties(List<?> pairs) {
        if (pairs.isEmpty()) return MessageProperties.NONE;
        Map<String, Object> all = properties(pairs);
        Object expiry = all.get("Message-Expiry-Interval");
        Object users = all.get("User-Property");
        return new MessageProperties(
                (String) all.get("Content-Type"),
                (String) all.get("Response-Topic"),
                (byte[]) all.get("Correlation-Data"),
                expiry == null ? null : ((Number) expiry).longValue(),
                format(all.get("Payload-Format-Indicator")),
                users == null ? List.of() : userProperties((List<?>) users));
    }

    private static Integer format(Object value) {
        if (value instanceof Boolean text) return text ? 1 : 0;
        return value == null ? null : ((Number) value).intValue();
    }

    private static List<UserProperty> userProperties(List<?> users) {
        return users.stream().map(UserProperty.class::cast).toList();
    }

    private static Map<String, Object> properties(Object argument) {
        List<?> pairs = (List<?>) argument;
        if (pairs.isEmpty()) return Map.of();
        Map<String, Object> found = new LinkedHashMap<>();
        for (Object one : pairs) {
            Object[] pair = ((Tuple) one).elements;
            Object value = pair[1];
            if (value instanceof List<?> users) {
                List<Object> read = new ArrayList<>();
                for (Object user : users) read.add(new UserProperty((String) ((Tuple) user).elements[0], (String) ((Tuple) user).elements[1]));
                value = Collections.unmodifiableList(read);
            }
            found.put((String) pair[0], value);
        }
        return Collections.unmodifiableMap(found);
    }

    private static List<Subscription> subscriptions(Object argument) {
        return ((List<?>) argument).stream().map(Events::subscription).toList();
    }

    private static Subscription subscription(Object argument) {
        Fields fields = (Fields) argument;
        return new Subscription(
                fields.text("filter"),
                fields.integer("qos"),
                fields.bool("no_local"),
                fields.bool("retain_as_published"),
                fields.integer("retain_handling"));
    }

    private static List<String> texts(Object argument) {
        return ((List<?>) argument).stream().map(String.class::cast).toList();
    }
}
