package io.emqx.extension.handler;

import io.emqx.extension.exceptions.InvalidParameterException;
import io.emqx.extension.handler.codec.ActionOption;
import io.emqx.extension.handler.codec.ClientInfo;
import io.emqx.extension.handler.codec.CodecUtil;
import io.emqx.extension.handler.codec.ConnInfo;
import io.emqx.extension.handler.codec.Decoder;
import io.emqx.extension.handler.codec.HookSpec;
import io.emqx.extension.handler.codec.Initializer;
import io.emqx.extension.handler.codec.Message;
import io.emqx.extension.handler.codec.Property;
import io.emqx.extension.handler.codec.PubSub;
import io.emqx.extension.handler.codec.Reason;
import io.emqx.extension.handler.codec.Result;
import io.emqx.extension.handler.codec.ResultCode;
import io.emqx.extension.handler.codec.ReturnCode;
import io.emqx.extension.handler.codec.State;
import io.emqx.extension.handler.codec.SubscribeOption;
import io.emqx.extension.handler.codec.Topic;
import io.emqx.extension.handler.codec.TopicFilter;
import java.lang.reflect.Method;
import java.util.HashSet;
import java.util.Set;

/**
 * Base class of handlers: override the callbacks that you want, and only those are registered. Callbacks of different clients run
 * at the same time, so what they share must be safe for threads.
 */
public class DefaultCommunicationHandler implements CommunicationHandler {
    private static final String[][] HOOKS = {
        {"client_connect", "onClientConnect"},
        {"client_connack", "onClientConnack"},
        {"client_connected", "onClientConnected"},
        {"client_disconnected", "onClientDisconnected"},
        {"client_authenticate", "onClientAuthenticate"},
        {"client_check_acl", "onClientCheckAcl"},
        {"client_subscribe", "onClientSubscribe"},
        {"client_unsubscribe", "onClientUnsubscribe"},
        {"session_created", "onSessionCreated"},
        {"session_subscribed", "onSessionSubscribed"},
        {"session_unsubscribed", "onSessionUnsubscribed"},
        {"session_resumed", "onSessionResumed"},
        {"session_discarded", "onSessionDiscarded"},
        {"session_takeovered", "onSessionTakeovered"},
        {"session_terminated", "onSessionTerminated"},
        {"message_publish", "onMessagePublish"},
        {"message_delivered", "onMessageDelivered"},
        {"message_acked", "onMessageAcked"},
        {"message_dropped", "onMessageDropped"},
    };

    public DefaultCommunicationHandler() {}

    /** The topics that the callbacks of messages are called for. */
    public ActionOptionConfig getActionOption() {
        return ActionOptionConfig.getDefault();
    }

    @Override
    public Object init() {
        Set<String> declared = new HashSet<>();
        for (Method method : getClass().getDeclaredMethods()) declared.add(method.getName());
        ActionOptionConfig config = getActionOption();
        String className = getClass().getCanonicalName();
        if (className == null) className = getClass().getName();
        Initializer.Bootstrap bootstrap = new Initializer.Bootstrap();
        int count = 0;
        for (String[] hook : HOOKS) {
            if (!declared.contains(hook[1]) && !declared.contains("on_" + hook[0])) continue;
            bootstrap.add(new HookSpec(hook[0], className, hook[1] + "Raw", optionOf(hook[0], config)));
            count += 1;
        }
        System.err.println(className + ": " + count + " hooks");
        return bootstrap.with(new State()).toTuple();
    }

    private static ActionOption optionOf(String hook, ActionOptionConfig config) {
        if (!hook.startsWith("message_")) return null;
        ActionOptionConfig set = config == null ? ActionOptionConfig.getDefault() : config;
        return set.buildOption(hook.replace('_', '.') + ".topics", "topics");
    }

    @Override
    public void deinit() {}

    // What the broker calls: any values, and the state as the last one.

    public void onClientConnectRaw(Object connInfo, Object properties, Object state) throws InvalidParameterException {
        onClientConnect(Decoder.connInfo(connInfo), Decoder.properties(properties));
    }

    public void onClientConnackRaw(Object connInfo, Object returnCode, Object properties, Object state) throws InvalidParameterException {
        onClientConnack(Decoder.connInfo(connInfo), Decoder.returnCode(returnCode), Decoder.properties(properties));
    }

    public void onClientConnectedRaw(Object clientInfo, Object state) throws InvalidParameterException {
        onClientConnected(Decoder.clientInfo(clientInfo));
    }

    public void onClientDisconnectedRaw(Object clientInfo, Object reason, Object state) throws InvalidParameterException {
        onClientDisconnected(Decoder.clientInfo(clientInfo), Decoder.reason(reason));
    }

    public Object onClientAuthenticateRaw(Object clientInfo, Object authResult, Object state) {
        try {
            return new Result(onClientAuthenticate(Decoder.clientInfo(clientInfo), CodecUtil.bool(authResult, "authResult"))).encode(ResultCode.SUC);
        } catch (InvalidParameterException failure) {
            System.err.println("onClientAuthenticate: " + failure.getMessage());
            return new Result(false).encode(ResultCode.FAIL);
        }
    }

    public Object onClientCheckAclRaw(Object clientInfo, Object pubsub, Object topic, Object result, Object state) {
        try {
            return new Result(onClientCheckAcl(Decoder.clientInfo(clientInfo), Decoder.pubSub(pubsub), Decoder.topic(topic), CodecUtil.bool(result, "result"))).encode(ResultCode.SUC);
        } catch (InvalidParameterException failure) {
            System.err.println("onClientCheckAcl: " + failure.getMessage());
            return new Result(false).encode(ResultCode.FAIL);
        }
    }

    public void onClientSubscribeRaw(Object clientInfo, Object properties, Object topicFilters, Object state) throws InvalidParameterException {
        onClientSubscribe(Decoder.clientInfo(clientInfo), Decoder.properties(properties), Decoder.topicFilters(topicFilters));
    }

    public void onClientUnsubscribeRaw(Object clientInfo, Object properties, Object topicFilters, Object state) throws InvalidParameterException {
        onClientUnsubscribe(Decoder.clientInfo(clientInfo), Decoder.properties(properties), Decoder.topicFilters(topicFilters));
    }

    public void onSessionCreatedRaw(Object clientInfo, Object state) throws InvalidParameterException {
        onSessionCreated(Decoder.clientInfo(clientInfo));
    }

    public void onSessionSubscribedRaw(Object clientInfo, Object topic, Object option, Object state) throws InvalidParameterException {
        onSessionSubscribed(Decoder.clientInfo(clientInfo), Decoder.topic(topic), Decoder.subscribeOption(option));
    }

    public void onSessionUnsubscribedRaw(Object clientInfo, Object topic, Object state) throws InvalidParameterException {
        onSessionUnsubscribed(Decoder.clientInfo(clientInfo), Decoder.topic(topic));
    }

    public void onSessionResumedRaw(Object clientInfo, Object state) throws InvalidParameterException {
        onSessionResumed(Decoder.clientInfo(clientInfo));
    }

    public void onSessionDiscardedRaw(Object clientInfo, Object state) throws InvalidParameterException {
        onSessionDiscarded(Decoder.clientInfo(clientInfo));
    }

    public void onSessionTakeoveredRaw(Object clientInfo, Object state) throws InvalidParameterException {
        onSessionTakeovered(Decoder.clientInfo(clientInfo));
    }

    public void onSessionTerminatedRaw(Object clientInfo, Object reason, Object state) throws InvalidParameterException {
        onSessionTerminated(Decoder.clientInfo(clientInfo), Decoder.reason(reason));
    }

    public Object onMessagePublishRaw(Object message, Object state) throws InvalidParameterException {
        Message given = Decoder.message(message);
        Message before = given.copy();
        Message answer = onMessagePublish(given);
        // No answer says the same as one that changes nothing.
        return answer == null || answer.saysTheSameAs(before) ? null : answer.encode(ResultCode.SUC);
    }

    public void onMessageDeliveredRaw(Object clientInfo, Object message, Object state) throws InvalidParameterException {
        onMessageDelivered(Decoder.clientInfo(clientInfo), Decoder.message(message));
    }

    public void onMessageAckedRaw(Object clientInfo, Object message, Object state) throws InvalidParameterException {
        onMessageAcked(Decoder.clientInfo(clientInfo), Decoder.message(message));
    }

    public void onMessageDroppedRaw(Object message, Object reason, Object state) throws InvalidParameterException {
        onMessageDropped(Decoder.message(message), Decoder.reason(reason));
    }

    // What a handler overrides.

    /** A CONNECT has arrived. */
    public void onClientConnect(ConnInfo connInfo, Property[] properties) {
        on_client_connect(connInfo, properties);
    }

    /** A CONNACK is about to be sent. */
    public void onClientConnack(ConnInfo connInfo, ReturnCode returnCode, Property[] properties) {
        on_client_connack(connInfo, returnCode, properties);
    }

    /** A client is connected. */
    public void onClientConnected(ClientInfo clientInfo) {
        on_client_connected(clientInfo);
    }

    /** A connection is over. */
    public void onClientDisconnected(ClientInfo clientInfo, Reason reason) {
        on_client_disconnected(clientInfo, reason);
    }

    /** Whether the client may connect. */
    public boolean onClientAuthenticate(ClientInfo clientInfo, boolean authResult) {
        return on_client_authenticate(clientInfo, authResult);
    }

    /** Whether the client may publish or subscribe to the topic. */
    public boolean onClientCheckAcl(ClientInfo clientInfo, PubSub pubsub, Topic topic, boolean result) {
        return on_client_check_acl(clientInfo, pubsub, topic, result);
    }

    /** A SUBSCRIBE has arrived. */
    public void onClientSubscribe(ClientInfo clientInfo, Property[] properties, TopicFilter[] topicFilters) {
        on_client_subscribe(clientInfo, properties, topicFilters);
    }

    /** An UNSUBSCRIBE has arrived. */
    public void onClientUnsubscribe(ClientInfo clientInfo, Property[] properties, TopicFilter[] topicFilters) {
        on_client_unsubscribe(clientInfo, properties, topicFilters);
    }

    /** A session begins. */
    public void onSessionCreated(ClientInfo clientInfo) {
        on_session_created(clientInfo);
    }

    /** A filter is subscribed. */
    public void onSessionSubscribed(ClientInfo clientInfo, Topic topic, SubscribeOption option) {
        on_session_subscribed(clientInfo, topic, option);
    }

    /** A filter is no longer subscribed. */
    public void onSessionUnsubscribed(ClientInfo clientInfo, Topic topic) {
        on_session_unsubscribed(clientInfo, topic);
    }

    /** A session goes on with a new connection. */
    public void onSessionResumed(ClientInfo clientInfo) {
        on_session_resumed(clientInfo);
    }

    /** A session was thrown away for a clean start. */
    public void onSessionDiscarded(ClientInfo clientInfo) {
        on_session_discarded(clientInfo);
    }

    /** A session has moved to another connection. */
    public void onSessionTakeovered(ClientInfo clientInfo) {
        on_session_takeovered(clientInfo);
    }

    /** A session has ended. */
    public void onSessionTerminated(ClientInfo clientInfo, Reason reason) {
        on_session_terminated(clientInfo, reason);
    }

    /** A message is published. The answer is what goes on; null leaves it as it was. */
    public Message onMessagePublish(Message message) {
        return on_message_publish(message);
    }

    /** A message is about to be sent to a subscriber. */
    public void onMessageDelivered(ClientInfo clientInfo, Message message) {
        on_message_delivered(clientInfo, message);
    }

    /** A subscriber has acknowledged a message. */
    public void onMessageAcked(ClientInfo clientInfo, Message message) {
        on_message_acked(clientInfo, message);
    }

    /** A message was dropped. */
    public void onMessageDropped(Message message, Reason reason) {
        on_message_dropped(message, reason);
    }

    // The names that handlers had before.

    /** @deprecated override {@link #onClientConnect} */
    @Deprecated
    public void on_client_connect(ConnInfo connInfo, Property[] properties) {}

    /** @deprecated override {@link #onClientConnack} */
    @Deprecated
    public void on_client_connack(ConnInfo connInfo, ReturnCode returnCode, Property[] properties) {}

    /** @deprecated override {@link #onClientConnected} */
    @Deprecated
    public void on_client_connected(ClientInfo clientInfo) {}

    /** @deprecated override {@link #onClientDisconnected} */
    @Deprecated
    public void on_client_disconnected(ClientInfo clientInfo, Reason reason) {}

    /** @deprecated override {@link #onClientAuthenticate} */
    @Deprecated
    public boolean on_client_authenticate(ClientInfo clientInfo, boolean authResult) {
        return true;
    }

    /** @deprecated override {@link #onClientCheckAcl} */
    @Deprecated
    public boolean on_client_check_acl(ClientInfo clientInfo, PubSub pubsub, Topic topic, boolean result) {
        return true;
    }

    /** @deprecated override {@link #onClientSubscribe} */
    @Deprecated
    public void on_client_subscribe(ClientInfo clientInfo, Property[] properties, TopicFilter[] topicFilters) {}

    /** @deprecated override {@link #onClientUnsubscribe} */
    @Deprecated
    public void on_client_unsubscribe(ClientInfo clientInfo, Property[] properties, TopicFilter[] topicFilters) {}

    /** @deprecated override {@link #onSessionCreated} */
    @Deprecated
    public void on_session_created(ClientInfo clientInfo) {}

    /** @deprecated override {@link #onSessionSubscribed} */
    @Deprecated
    public void on_session_subscribed(ClientInfo clientInfo, Topic topic, SubscribeOption option) {}

    /** @deprecated override {@link #onSessionUnsubscribed} */
    @Deprecated
    public void on_session_unsubscribed(ClientInfo clientInfo, Topic topic) {}

    /** @deprecated override {@link #onSessionResumed} */
    @Deprecated
    public void on_session_resumed(ClientInfo clientInfo) {}

    /** @deprecated override {@link #onSessionDiscarded} */
    @Deprecated
    public void on_session_discarded(ClientInfo clientInfo) {}

    /** @deprecated override {@link #onSessionTakeovered} */
    @Deprecated
    public void on_session_takeovered(ClientInfo clientInfo) {}

    /** @deprecated override {@link #onSessionTerminated} */
    @Deprecated
    public void on_session_terminated(ClientInfo clientInfo, Reason reason) {}

    /** @deprecated override {@link #onMessagePublish} */
    @Deprecated
    public Message on_message_publish(Message message) {
        return message;
    }

    /** @deprecated override {@link #onMessageDelivered} */
    @Deprecated
    public void on_message_delivered(ClientInfo clientInfo, Message message) {}

    /** @deprecated override {@link #onMessageAcked} */
    @Deprecated
    public void on_message_acked(ClientInfo clientInfo, Message message) {}

    /** @deprecated override {@link #onMessageDropped} */
    @Deprecated
    public void on_message_dropped(Message message, Reason reason) {}
}
