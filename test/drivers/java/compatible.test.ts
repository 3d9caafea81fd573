import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compiled, runtimes, start } from './support.ts'

/** All that a class of the SDK can override, written from its documented surface. */
const sample = `
import io.emqx.extension.handler.ActionOptionConfig;
import io.emqx.extension.handler.ActionOptionConfig.Keys;
import io.emqx.extension.handler.DefaultCommunicationHandler;
import io.emqx.extension.handler.codec.*;

public class SampleHandler extends DefaultCommunicationHandler {
    @Override
    public ActionOptionConfig getActionOption() {
        return ActionOptionConfig.getDefault()
            .set(Keys.MESSAGE_PUBLISH_TOPICS, "#")
            .set(Keys.MESSAGE_DELIVERED_TOPICS, "a/#,d/+")
            .set(Keys.MESSAGE_ACKED_TOPICS, "a/#")
            .set(Keys.MESSAGE_DROPPED_TOPICS, "nobody");
    }
    private static void say(String what, Object... parts) {
        System.err.printf("[Java] %s", what);
        for (Object part : parts) System.err.printf(" %s", part instanceof Object[] ? java.util.Arrays.toString((Object[]) part) : part);
        System.err.printf("%n");
    }
    @Override public void onClientConnect(ConnInfo info, Property[] props) { say("connect", info, props); }
    @Override public void onClientConnack(ConnInfo info, ReturnCode code, Property[] props) { say("connack", info.clientId, code, props); }
    @Override public void onClientConnected(ClientInfo info) { say("connected", info); }
    @Override public void onClientDisconnected(ClientInfo info, Reason reason) { say("disconnected", info.clientId, reason); }
    @Override public boolean onClientAuthenticate(ClientInfo info, boolean result) { say("authenticate", info.clientId, info.userName, info.password, result); return !"refused".equals(info.clientId); }
    @Override public boolean onClientCheckAcl(ClientInfo info, PubSub pubsub, Topic topic, boolean result) { say("acl", info.clientId, pubsub, topic, result); return !topic.value.startsWith("secret"); }
    @Override public void onClientSubscribe(ClientInfo info, Property[] props, TopicFilter[] filters) { say("subscribe", info.clientId, props, filters); }
    @Override public void onClientUnsubscribe(ClientInfo info, Property[] props, TopicFilter[] filters) { say("unsubscribe", info.clientId, filters); }
    @Override public void onSessionCreated(ClientInfo info) { say("created", info.clientId); }
    @Override public void onSessionSubscribed(ClientInfo info, Topic topic, SubscribeOption option) { say("subscribed", info.clientId, topic, option); }
    @Override public void onSessionUnsubscribed(ClientInfo info, Topic topic) { say("unsubscribed", info.clientId, topic); }
    @Override public void onSessionResumed(ClientInfo info) { say("resumed", info.clientId); }
    @Override public void onSessionDiscarded(ClientInfo info) { say("discarded", info.clientId); }
    @Override public void onSessionTakeovered(ClientInfo info) { say("takeovered", info.clientId); }
    @Override public void onSessionTerminated(ClientInfo info, Reason reason) { say("terminated", info.clientId, reason); }
    @Override public Message onMessagePublish(Message message) {
        say("publish", message);
        if (message.topic.equals("a/change")) { message.topic = "a/changed"; message.payload = "from Java é".getBytes(java.nio.charset.StandardCharsets.UTF_8); message.qos = 1; }
        if (message.topic.equals("a/in place")) message.payload[0] = 'X';
        return message;
    }
    @Override public void onMessageDelivered(ClientInfo info, Message message) { say("delivered", info.clientId, message.topic); }
    @Override public void onMessageAcked(ClientInfo info, Message message) { say("acked", info.clientId, message.topic); }
    @Override public void onMessageDropped(Message message, Reason reason) { say("dropped", message.topic, reason); }
    @Override public void deinit() { say("deinit"); }
}`

/** The names that the first handlers had, in a class below another one. */
const older = `
import io.emqx.extension.handler.DefaultCommunicationHandler;
import io.emqx.extension.handler.codec.*;
public class Older extends Base {
    @Override public void on_client_connected(ClientInfo info) { System.err.println("old name " + info.clientId); }
}`

const above = `
import io.emqx.extension.handler.DefaultCommunicationHandler;
import io.emqx.extension.handler.codec.*;
public class Base extends DefaultCommunicationHandler {
    @Override public void onClientDisconnected(ClientInfo info, Reason reason) { System.err.println("never registered"); }
}`

const names = [
  'client_connect',
  'client_connack',
  'client_connected',
  'client_disconnected',
  'client_authenticate',
  'client_check_acl',
  'client_subscribe',
  'client_unsubscribe',
  'session_created',
  'session_subscribed',
  'session_unsubscribed',
  'session_resumed',
  'session_discarded',
  'session_takeovered',
  'session_terminated',
  'message_publish',
  'message_delivered',
  'message_acked',
  'message_dropped',
]

describe('Java handlers of the SDK for EMQX 4.1', () => {
  const classes = compiled({ 'SampleHandler.java': sample, 'Older.java': older, 'Base.java': above })

  test('a class that overrides everything gets everything, and decides', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { init_module: 'SampleHandler' })
    const { broker } = java
    const { lines } = await broker.ctl('exhook drivers list')
    assert.deepEqual(lines, [`Driver(name=java, init_module=SampleHandler, hooks=[${names.join(',')}])`])

    const anonymous = await broker.connect({ clientId: 'c1', properties: { sessionExpiryInterval: 60 } })
    const connect = await java.prints('[Java] connect ')
    assert.match(
      connect,
      /ConnInfo \(node=hookmq@127\.0\.0\.1, clientId=c1, userName=null, peerHost=[^,]+, sockPort=\d+, protoName=MQTT, protoVersion=5, keepalive=0\)/,
    )
    assert.match(connect, /Property \(key=Session-Expiry-Interval, value=60\)/)
    assert.match(await java.prints('[Java] authenticate'), /c1 null null true$/)
    assert.match(await java.prints('[Java] connack'), /c1 ReturnCode \(value=success\)/)
    assert.match(
      await java.prints('[Java] connected'),
      /ClientInfo \(node=hookmq@127\.0\.0\.1, clientId=c1, userName=null, .*protocol=mqtt, mountPoint=null, isSuperUser=false, anonymous=false\)/,
    )
    await java.prints('[Java] created c1')

    await anonymous.subscribe('a/#', { qos: 1 })
    assert.match(await java.prints('[Java] acl'), /c1 PubSub \(value=subscribe\) Topic \(value=a\/#\) (true|false)$/)
    assert.match(await java.prints('[Java] subscribe '), /c1 \[\] \[TopicFilter \(topic=a\/#, qos=1\)\]/)
    assert.match(
      await java.prints('[Java] subscribed'),
      /c1 Topic \(value=a\/#\) SubscribeOption \(isNew=true, nl=0, qos=1, rap=0, rh=0\)/,
    )

    const publisher = await broker.connect({ clientId: 'p', username: 'Zoë', password: 'secret ü' })
    assert.match(await java.prints(/authenticate p/), /p Zoë secret ü true$/)
    await publisher.publish('a/b', 'plain', { qos: 1 })
    assert.equal(Buffer.from((await anonymous.message('a/b')).payload).toString(), 'plain')
    assert.match(
      await java.prints(/publish .*topic=a\/b/),
      /Message \(node=hookmq@127\.0\.0\.1, id=[0-9A-F]{32}, qos=1, from=p, topic=a\/b, payload=\[112, 108, 97, 105, 110\], timestamp=1\d{12}\)/,
    )
    await java.prints('[Java] delivered c1 a/b')
    await java.prints('[Java] acked c1 a/b')
    await publisher.publish('a/change', 'x')
    const changed = await anonymous.message('a/changed')
    assert.deepEqual([Buffer.from(changed.payload).toString(), changed.qos], ['from Java é', 1])
    await publisher.publish('a/in place', 'abc')
    assert.equal(Buffer.from((await anonymous.message('a/in place')).payload).toString(), 'Xbc', 'changed in place')
    await publisher.publish('a/empty', '')
    assert.match(await java.prints(/publish .*topic=a\/empty/), /payload=\[\]/)
    await publisher.publish('nobody', 'x', { qos: 1 })
    assert.match(await java.prints('[Java] dropped'), /nobody Reason \(value=no_subscribers\)$/)
    await assert.rejects(publisher.publish('secret/x', 'x', { qos: 1 }), { reasonCode: 0x87 })

    await anonymous.unsubscribe('a/#')
    await java.prints('[Java] unsubscribe c1')
    await java.prints('[Java] unsubscribed c1 Topic (value=a/#)')
    await assert.rejects(broker.connect({ clientId: 'refused' }), { reasonCode: 0x87 })

    const second = await broker.connect({
      clientId: 'c1',
      cleanStart: false,
      properties: { sessionExpiryInterval: 60 },
    })
    await java.prints('[Java] resumed c1')
    await java.prints('[Java] takeovered c1')
    await broker.connect({ clientId: 'c1', cleanStart: true })
    await java.prints('[Java] discarded c1')
    await second.ended
    await publisher.close()
    assert.match(await java.prints('[Java] disconnected p'), /Reason \(value=normal\)/)
    assert.match(await java.prints('[Java] terminated p'), /Reason \(value=normal\)/)

    assert.equal((await broker.ctl('exhook drivers disable java')).lines[0], 'ok')
    assert.equal(java.printed().filter((line) => line.includes('deinit')).length, 1)
    assert.deepEqual((await broker.ctl('exhook drivers list')).lines, [])
    assert.equal((await broker.ctl('exhook drivers enable java')).lines[0], 'ok')
    const stats = (await broker.ctl('exhook drivers stats')).lines
    assert.ok(stats.includes(`${'java.message_dropped'.padEnd(35)}:1`), stats.join('\n'))
  })

  test('old names of callbacks count, those of a class above do not', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { init_module: 'Older' })
    const client = await java.broker.connect({ clientId: 'one' })
    await java.prints('old name one')
    await client.close()
    assert.deepEqual((await java.broker.ctl('exhook drivers list')).lines, [
      'Driver(name=java, init_module=Older, hooks=[client_connected])',
    ])
  })

  test('the same classes run on every Java that is here', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    for (const command of runtimes()) {
      const java = await start(t, path, { init_module: 'SampleHandler', command })
      const client = await java.broker.connect({ clientId: 'any' })
      await java.prints('[Java] connected')
      await client.subscribe('a/#')
      await client.publish('a/change', 'x')
      assert.equal(Buffer.from((await client.message('a/changed')).payload).toString(), 'from Java é', command)
      const [view] = (await java.broker.ctl('exhook drivers list')).json as readonly { runtime: string }[]
      t.diagnostic(`${view?.runtime}: ${command}`)
      const complaints = java.printed().filter((line) => !line.startsWith('[Java]'))
      assert.deepEqual(complaints, ['SampleHandler: 19 hooks'], command)
      await java.broker.stop()
    }
  })
})
