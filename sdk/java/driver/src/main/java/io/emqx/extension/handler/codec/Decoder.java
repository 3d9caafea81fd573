package io.emqx.extension.handler.codec;

import com.erlport.erlang.term.Atom;
import com.erlport.erlang.term.Tuple;
import io.emqx.extension.exceptions.InvalidParameterException;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes parameters of what the broker sends. Lists of pairs come complete and in one order, so a pair is looked for at its own
 * place first; further pairs are no error.
 */
public final class Decoder {
    private static final Property[] NO_PROPERTIES = {};

    private Decoder() {}

    public static ConnInfo connInfo(Object value) throws InvalidParameterException {
        List<?> pairs = CodecUtil.list(value, "ConnInfo");
        return new ConnInfo(
                CodecUtil.text(get(pairs, 0, "node"), "ConnInfo.node"),
                CodecUtil.text(get(pairs, 1, "clientid"), "ConnInfo.clientId"),
                CodecUtil.text(get(pairs, 2, "username"), "ConnInfo.userName"),
                CodecUtil.text(get(pairs, 3, "peerhost"), "ConnInfo.peerHost"),
                CodecUtil.integer(get(pairs, 4, "sockport"), "ConnInfo.sockPort"),
                CodecUtil.text(get(pairs, 5, "proto_name"), "ConnInfo.protoName"),
                CodecUtil.integer(get(pairs, 6, "proto_ver"), "ConnInfo.protoVersion"),
                CodecUtil.integer(get(pairs, 7, "keepalive"), "ConnInfo.keepalive"));
    }

    public static ClientInfo clientInfo(Object value) throws InvalidParameterException {
        List<?> pairs = CodecUtil.list(value, "ClientInfo");
        return new ClientInfo(
                CodecUtil.text(get(pairs, 0, "node"), "ClientInfo.node"),
                CodecUtil.text(get(pairs, 1, "clientid"), "ClientInfo.clientId"),
                CodecUtil.text(get(pairs, 2, "username"), "ClientInfo.userName"),
                CodecUtil.text(get(pairs, 3, "password"), "ClientInfo.password"),
                CodecUtil.text(get(pairs, 4, "peerhost"), "ClientInfo.peerHost"),
                CodecUtil.integer(get(pairs, 5, "sockport"), "ClientInfo.sockPort"),
                CodecUtil.text(get(pairs, 6, "protocol"), "ClientInfo.protocol"),
                CodecUtil.text(get(pairs, 7, "mountpoint"), "ClientInfo.mountPoint"),
                CodecUtil.bool(get(pairs, 8, "is_superuser"), "ClientInfo.isSuperUser"),
                CodecUtil.bool(get(pairs, 9, "anonymous"), "ClientInfo.anonymous"));
    }

    public static Message message(Object value) throws InvalidParameterException {
        List<?> pairs = CodecUtil.list(value, "Message");
        return new Message(
                CodecUtil.text(get(pairs, 0, "node"), "Message.node"),
                CodecUtil.text(get(pairs, 1, "id"), "Message.id"),
                CodecUtil.integer(get(pairs, 2, "qos"), "Message.qos"),
                CodecUtil.text(get(pairs, 3, "from"), "Message.from"),
                CodecUtil.text(get(pairs, 4, "topic"), "Message.topic"),
                CodecUtil.bytes(get(pairs, 5, "payload"), "Message.payload"),
                CodecUtil.longInteger(get(pairs, 6, "timestamp"), "Message.timestamp"));
    }

    public static SubscribeOption subscribeOption(Object value) throws InvalidParameterException {
        List<?> pairs = CodecUtil.list(value, "SubscribeOption");
        return new SubscribeOption(
                CodecUtil.bool(get(pairs, 0, "is_new"), "SubscribeOption.isNew"),
                CodecUtil.integer(get(pairs, 1, "nl"), "SubscribeOption.nl"),
                CodecUtil.integer(get(pairs, 2, "qos"), "SubscribeOption.qos"),
                CodecUtil.integer(get(pairs, 3, "rap"), "SubscribeOption.rap"),
                CodecUtil.integer(get(pairs, 4, "rh"), "SubscribeOption.rh"));
    }

    public static Property[] properties(Object value) throws InvalidParameterException {
        List<?> pairs = CodecUtil.list(value, "Property[]");
        if (pairs.isEmpty()) return NO_PROPERTIES;
        List<Property> found = new ArrayList<>(pairs.size());
        for (Object each : pairs) {
            Tuple pair = CodecUtil.pair(each, "Property");
            String key = CodecUtil.text(pair.elements[0], "Property.key");
            Object held = pair.elements[1];
            if (held instanceof List) {
                for (Object one : (List<?>) held) {
                    Tuple named = CodecUtil.pair(one, key);
                    found.add(new Property(key, propertyText(named.elements[0], key) + "=" + propertyText(named.elements[1], key)));
                }
            } else if (held instanceof Number || held instanceof Boolean) {
                found.add(new Property(key, held.toString()));
            } else {
                found.add(new Property(key, CodecUtil.text(held, key)));
            }
        }
        return found.toArray(NO_PROPERTIES);
    }

    private static String propertyText(Object value, String what) throws InvalidParameterException {
        String text = CodecUtil.text(value, what);
        return text == null ? "" : text;
    }

    public static TopicFilter[] topicFilters(Object value) throws InvalidParameterException {
        List<?> pairs = CodecUtil.list(value, "TopicFilter[]");
        TopicFilter[] filters = new TopicFilter[pairs.size()];
        for (int index = 0; index < filters.length; index += 1) {
            Tuple pair = CodecUtil.pair(pairs.get(index), "TopicFilter");
            filters[index] = new TopicFilter(
                    CodecUtil.text(pair.elements[0], "TopicFilter.topic"), CodecUtil.integer(pair.elements[1], "TopicFilter.qos"));
        }
        return filters;
    }

    public static PubSub pubSub(Object value) throws InvalidParameterException {
        return new PubSub(CodecUtil.text(value, "PubSub"));
    }

    public static Reason reason(Object value) throws InvalidParameterException {
        return new Reason(CodecUtil.text(value, "Reason"));
    }

    public static ReturnCode returnCode(Object value) throws InvalidParameterException {
        return new ReturnCode(CodecUtil.text(value, "ReturnCode"));
    }

    public static Topic topic(Object value) throws InvalidParameterException {
        return new Topic(CodecUtil.text(value, "Topic"));
    }

    private static Object get(List<?> pairs, int place, String key) throws InvalidParameterException {
        if (place < pairs.size()) {
            Object expected = pairs.get(place);
            if (expected instanceof Tuple && named((Tuple) expected, key)) return ((Tuple) expected).elements[1];
        }
        for (Object each : pairs) {
            if (each instanceof Tuple && named((Tuple) each, key)) return ((Tuple) each).elements[1];
        }
        throw new InvalidParameterException("the pair '" + key + "' is missing among " + pairs.size());
    }

    private static boolean named(Tuple pair, String key) {
        return pair.elements.length == 2 && pair.elements[0] instanceof Atom && ((Atom) pair.elements[0]).value.equals(key);
    }
}
