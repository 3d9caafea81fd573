package io.emqx.extension.handler.codec;

import com.erlport.erlang.term.Atom;
import com.erlport.erlang.term.Binary;
import com.erlport.erlang.term.Tuple;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** A message. onMessagePublish may change topic, qos and payload, or answer with another one. */
public class Message implements HandlerParameter, HandlerReturn {
    private static final Atom NODE = new Atom("node");
    private static final Atom ID = new Atom("id");
    private static final Atom QOS = new Atom("qos");
    private static final Atom FROM = new Atom("from");
    private static final Atom TOPIC = new Atom("topic");
    private static final Atom PAYLOAD = new Atom("payload");
    private static final Atom TIMESTAMP = new Atom("timestamp");

    public String node;
    /** 32 upper-case hex digits. */
    public String id;
    public int qos;
    /** Client id of the publisher. */
    public String from;
    public String topic;
    public byte[] payload;
    /** Milliseconds since the epoch. */
    public long timestamp;

    public Message(String node, String id, int qos, String from, String topic, byte[] payload, long timestamp) {
        this.node = node;
        this.id = id;
        this.qos = qos;
        this.from = from;
        this.topic = topic;
        this.payload = payload;
        this.timestamp = timestamp;
    }

    /** The pair of the code and the seven pairs of the message. */
    @Override
    public Object encode(ResultCode code) {
        List<Object> pairs = new ArrayList<>(7);
        pairs.add(Tuple.two(NODE, new Atom(node == null ? "" : node)));
        pairs.add(Tuple.two(ID, CodecUtil.binary(id)));
        pairs.add(Tuple.two(QOS, qos));
        pairs.add(Tuple.two(FROM, CodecUtil.binary(from)));
        pairs.add(Tuple.two(TOPIC, CodecUtil.binary(topic)));
        pairs.add(Tuple.two(PAYLOAD, new Binary(payload == null ? new byte[0] : payload)));
        pairs.add(Tuple.two(TIMESTAMP, BigInteger.valueOf(timestamp)));
        return Tuple.two(code.getValue(), pairs);
    }

    /** The same, to be compared with what a callback has made of this one. */
    public Message copy() {
        return new Message(node, id, qos, from, topic, payload == null ? null : payload.clone(), timestamp);
    }

    /** Whether the parts that a callback may change are the same. */
    public boolean saysTheSameAs(Message other) {
        return qos == other.qos && timestamp == other.timestamp && Objects.equals(topic, other.topic) && Arrays.equals(payload, other.payload);
    }

    @Override
    public String toString() {
        return "Message (node=" + node + ", id=" + id + ", qos=" + qos + ", from=" + from + ", topic=" + topic + ", payload="
                + Arrays.toString(payload) + ", timestamp=" + timestamp + ")";
    }
}
