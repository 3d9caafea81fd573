package io.hookmq;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The hooks of one handler, as lambdas:
 *
 * <pre>{@code
 * public class Main implements HookSource {
 *     public Hooks hooks() {
 *         return Hooks.builder()
 *                 .onMessagePublish(List.of("orders/#"), message -> message.payload().length > 1024 ? PublishVerdict.reject(0x97) : message)
 *                 .onClientConnected(client -> System.out.println(client.clientId()))
 *                 .build();
 *     }
 * }
 * }</pre>
 */
public final class Hooks {
    private final List<Hook> all;

    private Hooks(List<Hook> all) {
        this.all = List.copyOf(all);
    }

    public List<Hook> all() {
        return all;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects callbacks. Those of one hook are called in the order in which they were added. */
    public static final class Builder {
        private final List<Hook> hooks = new ArrayList<>();

        private Builder() {}

        public Hooks build() {
            return new Hooks(hooks);
        }

        private <E> Builder tell(Point point, List<String> topics, Class<E> type, Consumer<? super E> callback) {
            return add(point, topics, event -> {
                callback.accept(type.cast(event));
                return null;
            });
        }

        private <E> Builder watch(Point point, List<String> topics, Class<E> type, Consumer<? super E> callback) {
            hooks.add(new Hook(point, point.hook + " #" + (hooks.size() + 1), topics, true, event -> {
                callback.accept(type.cast(event));
                return null;
            }));
            return this;
        }

        private <E> Builder ask(Point point, List<String> topics, Class<E> type, Function<? super E, ?> callback) {
            return add(point, topics, event -> callback.apply(type.cast(event)));
        }

        private Builder add(Point point, List<String> topics, Hook.Call call) {
            hooks.add(new Hook(point, point.hook + " #" + (hooks.size() + 1), topics, false, call));
            return this;
        }

        /** Called when a CONNECT has arrived, before any check. */
        public Builder onClientConnect(Consumer<? super ConnectInfo> callback) {
            return tell(Point.CLIENT_CONNECT, List.of(), ConnectInfo.class, callback);
        }

        /** Called when a CONNACK is about to be sent. */
        public Builder onClientConnack(Consumer<? super Connack> callback) {
            return tell(Point.CLIENT_CONNACK, List.of(), Connack.class, callback);
        }

        /** Called when a client is connected. */
        public Builder onClientConnected(Consumer<? super ClientInfo> callback) {
            return tell(Point.CLIENT_CONNECTED, List.of(), ClientInfo.class, callback);
        }

        /** Called when a connection is over. */
        public Builder onClientDisconnected(Consumer<? super Disconnected> callback) {
            return tell(Point.CLIENT_DISCONNECTED, List.of(), Disconnected.class, callback);
        }

        /** Called when a client wants to come in. Null: no opinion. */
        public Builder onClientAuthenticate(Function<? super Credentials, ? extends AccessVerdict> callback) {
            return ask(Point.CLIENT_AUTHENTICATE, List.of(), Credentials.class, callback);
        }

        /** Called when a client wants to publish or subscribe. Null: no opinion. */
        public Builder onClientAuthorize(Function<? super AccessRequest, ? extends AccessVerdict> callback) {
            return ask(Point.CLIENT_AUTHORIZE, List.of(), AccessRequest.class, callback);
        }

        /** Called when a SUBSCRIBE has been allowed. */
        public Builder onClientSubscribe(Consumer<? super SubscribeRequest> callback) {
            return tell(Point.CLIENT_SUBSCRIBE, List.of(), SubscribeRequest.class, callback);
        }

        /** Called when an UNSUBSCRIBE has arrived. */
        public Builder onClientUnsubscribe(Consumer<? super UnsubscribeRequest> callback) {
            return tell(Point.CLIENT_UNSUBSCRIBE, List.of(), UnsubscribeRequest.class, callback);
        }

        /** Called when a PINGREQ has arrived. */
        public Builder onClientPing(Consumer<? super ClientInfo> callback) {
            return tell(Point.CLIENT_PING, List.of(), ClientInfo.class, callback);
        }

        /** Called when a session begins. */
        public Builder onSessionCreated(Consumer<? super ClientInfo> callback) {
            return tell(Point.SESSION_CREATED, List.of(), ClientInfo.class, callback);
        }

        /** Called when a filter is subscribed. */
        public Builder onSessionSubscribed(Consumer<? super Subscribed> callback) {
            return tell(Point.SESSION_SUBSCRIBED, List.of(), Subscribed.class, callback);
        }

        /** Called when a filter is no longer subscribed. */
        public Builder onSessionUnsubscribed(Consumer<? super Unsubscribed> callback) {
            return tell(Point.SESSION_UNSUBSCRIBED, List.of(), Unsubscribed.class, callback);
        }

        /** Called when a session goes on with a new connection. */
        public Builder onSessionResumed(Consumer<? super ClientInfo> callback) {
            return tell(Point.SESSION_RESUMED, List.of(), ClientInfo.class, callback);
        }

        /** Called when a session was thrown away for a clean start. */
        public Builder onSessionDiscarded(Consumer<? super ClientInfo> callback) {
            return tell(Point.SESSION_DISCARDED, List.of(), ClientInfo.class, callback);
        }

        /** Called when a session has moved to another connection. */
        public Builder onSessionTakenover(Consumer<? super ClientInfo> callback) {
            return tell(Point.SESSION_TAKENOVER, List.of(), ClientInfo.class, callback);
        }

        /** Called when a session has ended. */
        public Builder onSessionTerminated(Consumer<? super Terminated> callback) {
            return tell(Point.SESSION_TERMINATED, List.of(), Terminated.class, callback);
        }

        /** Called when a message is published. Null: as it is. */
        public Builder onMessagePublish(Function<? super Message, ? extends PublishVerdict> callback) {
            return ask(Point.MESSAGE_PUBLISH, List.of(), Message.class, callback);
        }

        /** The same, for topics that match one of the filters. */
        public Builder onMessagePublish(List<String> topics, Function<? super Message, ? extends PublishVerdict> callback) {
            return ask(Point.MESSAGE_PUBLISH, topics, Message.class, callback);
        }

        /** Called when a message is about to be sent to a subscriber. */
        public Builder onMessageDelivered(Consumer<? super Delivered> callback) {
            return tell(Point.MESSAGE_DELIVERED, List.of(), Delivered.class, callback);
        }

        /** The same, for topics that match one of the filters. */
        public Builder onMessageDelivered(List<String> topics, Consumer<? super Delivered> callback) {
            return tell(Point.MESSAGE_DELIVERED, topics, Delivered.class, callback);
        }

        /** Called when a message went nowhere. */
        public Builder onMessageDropped(Consumer<? super Dropped> callback) {
            return tell(Point.MESSAGE_DROPPED, List.of(), Dropped.class, callback);
        }

        /** The same, for topics that match one of the filters. */
        public Builder onMessageDropped(List<String> topics, Consumer<? super Dropped> callback) {
            return tell(Point.MESSAGE_DROPPED, topics, Dropped.class, callback);
        }

        /** Called when a subscriber has acknowledged a message. */
        public Builder onMessageAcked(Consumer<? super Acked> callback) {
            return tell(Point.MESSAGE_ACKED, List.of(), Acked.class, callback);
        }

        /** The same, for topics that match one of the filters. */
        public Builder onMessageAcked(List<String> topics, Consumer<? super Acked> callback) {
            return tell(Point.MESSAGE_ACKED, topics, Acked.class, callback);
        }

        /** Called when a message is not sent to one of its subscribers. */
        public Builder onDeliveryDropped(Consumer<? super DeliveryDropped> callback) {
            return tell(Point.DELIVERY_DROPPED, List.of(), DeliveryDropped.class, callback);
        }

        /** Called when a client wants to come in; nobody waits for it, and it decides nothing. */
        public Builder observeClientAuthenticate(Consumer<? super Credentials> callback) {
            return watch(Point.CLIENT_AUTHENTICATE, List.of(), Credentials.class, callback);
        }

        /** Called when a client wants to publish or subscribe; nobody waits for it, and it decides nothing. */
        public Builder observeClientAuthorize(Consumer<? super AccessRequest> callback) {
            return watch(Point.CLIENT_AUTHORIZE, List.of(), AccessRequest.class, callback);
        }

        /** Called when a message is published; nobody waits for it, and it decides nothing. */
        public Builder observeMessagePublish(List<String> topics, Consumer<? super Message> callback) {
            return watch(Point.MESSAGE_PUBLISH, topics, Message.class, callback);
        }
    }
}
