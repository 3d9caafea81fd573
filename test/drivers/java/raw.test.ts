import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { compiled, start } from './support.ts'

const hooks = (className: string, ...pairs: readonly (readonly [hook: string, method: string])[]): string =>
  `new Object[] {${pairs.map(([hook, method]) => `Tuple.three("${hook}", "${className}", "${method}")`).join(', ')}}`

/** A raw handler in the default package, with static methods: Tuples and lists, no SDK. */
const main = `
import com.erlport.erlang.term.*;
import java.io.Serializable;
import java.util.*;

public class Main {
    public static class Counted implements Serializable { int calls = 0; }

    static String show(Object value) {
        if (value instanceof List) { StringBuilder all = new StringBuilder("["); for (Object one : (List<?>) value) all.append(show(one)).append(' '); return all + "]"; }
        if (value instanceof Tuple) { StringBuilder all = new StringBuilder("{"); for (int i = 0; i < ((Tuple) value).length(); i++) all.append(i > 0 ? "," : "").append(show(((Tuple) value).get(i))); return all + "}"; }
        return value.getClass().getSimpleName() + ":" + (value instanceof Atom ? ((Atom) value).value : value);
    }
    public static Object init() {
        List<Object> hooks = new ArrayList<>(Arrays.asList(${hooks('Main', ['client_connect', 'onConnect'], ['client_authenticate', 'onAuthenticate'], ['client_check_acl', 'onAcl'], ['session_subscribed', 'onSubscribed'], ['client_subscribe', 'onSubscribe'], ['no_such_hook', 'nothing'], ['client_disconnected', 'missing']).slice('new Object[] {'.length, -1)}));
        List<Object> filters = Arrays.asList(new Binary("in/#"), "text/+", new Atom("symbol"));
        hooks.add(Tuple.four("message_publish", "Main", "onPublish", Arrays.asList(Tuple.two(new Atom("topics"), filters))));
        hooks.add(Tuple.four("message_publish", "Main", "second", Arrays.asList(Tuple.two("topics", Arrays.asList("in/twice")))));
        return Tuple.two(0, Tuple.two(hooks, new Counted()));
    }
    public static void deinit() { System.out.println("deinit called"); }
    public static void onConnect(Object info, Object props, Object state) { System.out.println("connect " + show(info) + " " + show(props)); }
    public static Object onAuthenticate(Object info, Object result, Object state) {
        Counted counted = (Counted) state;
        counted.calls += 1;
        System.out.println("authenticate " + show(result) + " state " + counted.calls);
        return Tuple.two(0, true);
    }
    public static Object onAcl(Object info, Object pubsub, Object topic, Object result, Object state) {
        System.out.println("acl " + show(pubsub) + " " + show(topic) + " " + show(result));
        return Tuple.two(0, Boolean.TRUE);
    }
    public static void onSubscribe(Object info, Object props, Object filters, Object state) { System.out.println("subscribe " + show(props) + " " + show(filters)); }
    public static void onSubscribed(Object info, Object topic, Object options, Object state) { System.out.println("subscribed " + show(topic) + " " + show(options)); }
    public static Object onPublish(Object message, Object state) {
        System.out.println("publish " + show(message));
        List<Object> pairs = (List<Object>) message;
        String topic = null;
        for (Object pair : pairs) if (((Atom) ((Tuple) pair).get(0)).value.equals("topic")) topic = ((Tuple) pair).get(1).toString();
        if (topic.equals("in/bare")) return Arrays.asList(Tuple.two(new Atom("payload"), new Binary("bare")), Tuple.two(new Atom("unknown"), null));
        if (topic.equals("in/array")) return Tuple.two(0, new Object[] {Tuple.two(new Atom("topic"), new Binary("in/moved"))});
        if (topic.equals("in/wrong")) return Tuple.two(0, Arrays.asList(Tuple.two(new Atom("qos"), "one")));
        return null;
    }
    public static Object second(Object message, Object state) { System.out.println("second"); return null; }
}`

/** Instance methods: one object, made by the constructor without parameters, for all calls. */
const instance = `
package deep.inside;
import com.erlport.erlang.term.*;
import java.util.*;
import java.util.concurrent.atomic.AtomicInteger;

public class Instance {
    static final AtomicInteger made = new AtomicInteger();
    private final AtomicInteger calls = new AtomicInteger();
    public Instance() { made.incrementAndGet(); }
    public Object init() { return Tuple.two(0, Tuple.two(Arrays.asList(Tuple.three("message_publish", "deep.inside.Instance", "publish"), Tuple.three("client_connected", "deep.inside.Instance$Other", "connected")), null)); }
    public Object publish(Object message, Object state) throws Exception {
        String payload = ((Tuple) ((List<?>) message).get(5)).get(1).toString();
        if (payload.equals("slow")) Thread.sleep(700);
        System.out.println("call " + calls.incrementAndGet() + " of object " + made.get() + " " + payload + " " + state);
        return null;
    }
    public static class Other { public void connected(Object info, Object state) { System.out.println("other class"); } }
}`

describe('raw Java handlers for EMQX 4.1', () => {
  const classes = compiled({ 'Main.java': main, 'deep/inside/Instance.java': instance })

  test('static methods get the types of section 3.5, the state, and their topics', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path)
    const { broker } = java
    const client = await broker.connect({
      clientId: 'c1',
      properties: { sessionExpiryInterval: 4_000_000_000, userProperties: [['name', 'value']] },
    })
    assert.equal(
      await java.prints('connect '),
      'connect [{Atom:node,Atom:hookmq@127.0.0.1} {Atom:clientid,Binary:c1} {Atom:username,Binary:} {Atom:peerhost,Binary:127.0.0.1} ' +
        `{Atom:sockport,Integer:${broker.admin.client('c1')?.connInfo?.sockport}} {Atom:proto_name,Binary:MQTT} {Atom:proto_ver,Integer:5} {Atom:keepalive,Integer:0} ] ` +
        '[{Atom:Session-Expiry-Interval,BigInteger:4000000000} {Atom:User-Property,[{Binary:name,Binary:value} ]} ]',
    )
    assert.equal(await java.prints('authenticate'), 'authenticate Boolean:true state 1')
    await client.subscribe('in/#', { qos: 2 })
    assert.match(await java.prints('acl'), /^acl Atom:subscribe Binary:in\/# Boolean:(true|false)$/)
    assert.equal(await java.prints(/^subscribe /), 'subscribe [] [{Binary:in/#,Integer:2} ]')
    assert.equal(
      await java.prints('subscribed'),
      'subscribed Binary:in/# [{Atom:is_new,Boolean:true} {Atom:nl,Integer:0} {Atom:qos,Integer:2} {Atom:rap,Integer:0} {Atom:rh,Integer:0} ]',
    )
    await client.publish('in/bare', 'x', { qos: 1 })
    assert.equal(Buffer.from((await client.message('in/bare')).payload).toString(), 'bare')
    assert.match(
      await java.prints(/^publish /),
      /^publish \[\{Atom:node,Atom:hookmq@127\.0\.0\.1\} \{Atom:id,Binary:[0-9A-F]{32}\} \{Atom:qos,Integer:1\} \{Atom:from,Binary:c1\} \{Atom:topic,Binary:in\/bare\} \{Atom:payload,Binary:x\} \{Atom:timestamp,BigInteger:\d{13}\} \]$/,
    )
    await client.publish('in/array', 'moved')
    assert.equal(Buffer.from((await client.message('in/moved')).payload).toString(), 'moved')
    await client.publish('in/wrong', 'unchanged')
    assert.equal(Buffer.from((await client.message('in/wrong')).payload).toString(), 'unchanged')
    await java.logs(/message_publish.*qos/)
    const before = java.printed().filter((line) => line.startsWith('publish')).length
    await client.publish('out', 'x', { qos: 1 })
    await client.publish('text/a/b', 'x', { qos: 1 })
    assert.equal(java.printed().filter((line) => line.startsWith('publish')).length, before, 'other topics')
    await client.publish('symbol', 'x', { qos: 1 })
    await client.publish('text/a', 'x', { qos: 1 })
    await client.publish('in/twice', 'x', { qos: 1 })
    await java.prints('second')
    assert.equal(java.printed().filter((line) => line.startsWith('publish')).length, before + 3)
    await broker.connect({ clientId: 'c2' })
    await java.prints(/authenticate/)
    assert.ok(
      !java.printed().includes('authenticate Boolean:true state 2'),
      'what a callback changes in the state is lost',
    )
    await client.close()
    await java.logs(/class Main has no method missing with 3 parameters/)
    await broker.unload('extension-hook')
    assert.deepEqual(
      java.printed().filter((line) => line === 'deinit called'),
      ['deinit called'],
    )
  })

  test('instance methods are those of one object; one client waits for nobody but itself', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { init_module: 'deep.inside.Instance' })
    const { broker } = java
    const [slow, quick] = [await broker.connect({ clientId: 'slow' }), await broker.connect({ clientId: 'quick' })]
    await java.prints('other class')
    const first = slow.publish('t', 'slow', { qos: 1 })
    const second = slow.publish('t', 'after it', { qos: 1 })
    await pause(20)
    await quick.publish('t', 'quick', { qos: 1 })
    await Promise.all([first, second])
    assert.deepEqual(
      java.printed().filter((line) => line.startsWith('call')),
      [
        'call 1 of object 1 quick Atom (value=undefined)',
        'call 2 of object 1 slow Atom (value=undefined)',
        'call 3 of object 1 after it Atom (value=undefined)',
      ],
    )
  })
})
