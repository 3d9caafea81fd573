package io.hookmq;

import java.lang.annotation.Annotation;

/** The hooks that a handler may have. */
public enum Point {
    CLIENT_CONNECT("client.connect", ConnectInfo.class, OnClientConnect.class, Answer.NONE),
    CLIENT_CONNACK("client.connack", Connack.class, OnClientConnack.class, Answer.NONE),
    CLIENT_CONNECTED("client.connected", ClientInfo.class, OnClientConnected.class, Answer.NONE),
    CLIENT_DISCONNECTED("client.disconnected", Disconnected.class, OnClientDisconnected.class, Answer.NONE),
    CLIENT_AUTHENTICATE("client.authenticate", Credentials.class, OnClientAuthenticate.class, Answer.ACCESS),
    CLIENT_AUTHORIZE("client.authorize", AccessRequest.class, OnClientAuthorize.class, Answer.ACCESS),
    CLIENT_SUBSCRIBE("client.subscribe", SubscribeRequest.class, OnClientSubscribe.class, Answer.NONE),
    CLIENT_UNSUBSCRIBE("client.unsubscribe", UnsubscribeRequest.class, OnClientUnsubscribe.class, Answer.NONE),
    CLIENT_PING("client.ping", ClientInfo.class, OnClientPing.class, Answer.NONE),
    SESSION_CREATED("session.created", ClientInfo.class, OnSessionCreated.class, Answer.NONE),
    SESSION_SUBSCRIBED("session.subscribed", Subscribed.class, OnSessionSubscribed.class, Answer.NONE),
    SESSION_UNSUBSCRIBED("session.unsubscribed", Unsubscribed.class, OnSessionUnsubscribed.class, Answer.NONE),
    SESSION_RESUMED("session.resumed", ClientInfo.class, OnSessionResumed.class, Answer.NONE),
    SESSION_DISCARDED("session.discarded", ClientInfo.class, OnSessionDiscarded.class, Answer.NONE),
    SESSION_TAKENOVER("session.takenover", ClientInfo.class, OnSessionTakenover.class, Answer.NONE),
    SESSION_TERMINATED("session.terminated", Terminated.class, OnSessionTerminated.class, Answer.NONE),
    MESSAGE_PUBLISH("message.publish", Message.class, OnMessagePublish.class, Answer.MESSAGE),
    MESSAGE_DELIVERED("message.delivered", Delivered.class, OnMessageDelivered.class, Answer.NONE),
    MESSAGE_DROPPED("message.dropped", Dropped.class, OnMessageDropped.class, Answer.NONE),
    MESSAGE_ACKED("message.acked", Acked.class, OnMessageAcked.class, Answer.NONE),
    DELIVERY_DROPPED("delivery.dropped", DeliveryDropped.class, OnDeliveryDropped.class, Answer.NONE);

    /** What the broker makes of what a callback returns. */
    enum Answer {
        NONE,
        ACCESS,
        MESSAGE
    }

    /** `message.publish` */
    public final String hook;
    /** What callbacks are called with. */
    public final Class<?> event;

    final Class<? extends Annotation> annotation;
    final Answer answer;

    Point(String hook, Class<?> event, Class<? extends Annotation> annotation, Answer answer) {
        this.hook = hook;
        this.event = event;
        this.annotation = annotation;
        this.answer = answer;
    }

    /** Whether the hook may be limited to some topics. */
    public boolean hasTopics() {
        return hook.startsWith("message.");
    }
}
