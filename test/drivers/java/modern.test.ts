import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { findArchives, findProgram } from '@hookmq/provider-driver/java'
import { compiled, start } from './support.ts'

const execute = promisify(execFile)

const annotated = `
import io.hookmq.*;
import java.util.*;
import java.util.concurrent.CompletableFuture;

public class Annotated implements AutoCloseable {
    @OnClientAuthenticate
    public AccessVerdict authenticate(Credentials credentials) {
        System.out.println("authenticate " + credentials + " " + credentials.passwordText());
        return switch (String.valueOf(credentials.username())) {
            case "admin" -> AccessVerdict.allow().withSuperuser(true).withAttributes(Map.of("role", "boss"));
            case "renamed" -> AccessVerdict.allow().withClientId("other-name").withUsername("other-user");
            case "refused" -> AccessVerdict.deny(0x86, "wrong password");
            default -> null;
        };
    }
    @OnClientAuthorize
    boolean authorize(AccessRequest request) {
        System.out.println("authorize " + request.client().clientId() + " " + request.client().attributes() + " " + request.action() + " " + request.topic() + " " + request.qos() + " " + request.retain());
        return !request.topic().startsWith("secret");
    }
    @OnMessagePublish(topics = {"in/#"})
    public PublishVerdict publish(Message message) {
        System.out.println("publish " + message + " " + message.properties().userProperties() + " " + message.username());
        return switch (message.text()) {
            case "drop" -> PublishVerdict.drop("unwanted");
            case "reject" -> PublishVerdict.reject(0x97, "not now");
            case "disconnect" -> PublishVerdict.disconnect(0x98, "go away");
            case "stop" -> PublishVerdict.stop(message.withPayload("stopped"));
            case "throw" -> throw new IllegalArgumentException("cannot read it");
            case "everything" -> message.withTopic("out/other").withPayload("all").withQos(1).withRetain(true)
                .withProperties(message.properties().withContentType("text/plain").withMessageExpiryInterval(60L).withPayloadFormatIndicator(1)
                    .withCorrelationData(new byte[] {1, 2}).withResponseTopic("answers").withUserProperties(List.of(new UserProperty("a", "b"), new UserProperty("a", "c"))));
            default -> message;
        };
    }
    @OnMessagePublish(topics = "later")
    public CompletableFuture<PublishVerdict> later(Message message) {
        return CompletableFuture.supplyAsync(() -> message.withPayload("from a future"));
    }
    @OnClientConnect void connect(ConnectInfo info) { System.out.println("connect " + info.clientId() + " " + info.properties()); }
    @OnClientConnack void connack(Connack connack) { System.out.println("connack " + connack.connect().clientId() + " " + connack.reason()); }
    @OnClientConnected static void connected(ClientInfo client) { System.out.println("connected " + client.clientId() + " " + client.superuser() + " " + client.node()); }
    @OnClientDisconnected void disconnected(Disconnected event) { System.out.println("disconnected " + event.client().clientId() + " " + event.reason()); }
    @OnClientPing void ping(ClientInfo client) { System.out.println("ping " + client.clientId()); }
    @OnClientSubscribe void subscribe(SubscribeRequest request) { System.out.println("subscribe " + request.subscriptions()); }
    @OnClientUnsubscribe void unsubscribe(UnsubscribeRequest request) { System.out.println("unsubscribe " + request.filters()); }
    @OnSessionCreated void created(ClientInfo client) { System.out.println("created " + client.clientId()); }
    @OnSessionSubscribed void subscribed(Subscribed event) { System.out.println("subscribed " + event.subscription() + " " + event.isNew()); }
    @OnSessionUnsubscribed void unsubscribed(Unsubscribed event) { System.out.println("unsubscribed " + event.filter()); }
    @OnSessionTerminated void terminated(Terminated event) { System.out.println("terminated " + event.client().clientId() + " " + event.reason()); }
    @OnMessageDelivered(topics = "in/+") void delivered(Delivered event) { System.out.println("delivered " + event.client().clientId() + " " + event.message().topic()); }
    @OnMessageAcked void acked(Acked event) { System.out.println("acked " + event.message().topic()); }
    @OnMessageDropped void dropped(Dropped event) { System.out.println("dropped " + event.message().topic() + " " + event.reason()); }
    @Override public void close() { System.out.println("closed"); }
}`

const wrong = `
import io.hookmq.*;
public class Wrong {
    @OnMessagePublish String publish(Message message) { return "no"; }
}`

const wrongFilter = `
import io.hookmq.*;
public class WrongFilter {
    @OnMessagePublish(topics = "a/#/b") void publish(Message message) {}
}`

/** What a user's unit test does, without a framework. */
const unitTest = `
import io.hookmq.*;
import io.hookmq.testing.HookTester;
import java.util.List;

public class UnitTest {
    public static void main(String[] arguments) {
        HookTester tester = HookTester.of(new Annotated());
        check(PublishVerdict.drop("unwanted"), tester.publish(Message.of("in/1", "drop")));
        check("stopped", ((Message) tester.publish(Message.of("in/1", "stop"))).text());
        check("drop", ((Message) tester.publish(Message.of("elsewhere", "drop"))).text());
        check(AccessVerdict.deny(0x86, "wrong password"), tester.authenticate(Credentials.of("c", "refused", "x")));
        check(null, tester.authenticate(Credentials.of("c", "somebody", "x")));
        check(AccessVerdict.deny(), tester.authorize(new AccessRequest(ClientInfo.of("c", null), AccessRequest.Action.PUBLISH, "secret/x", 0, false, true)));
        tester.tell(Point.CLIENT_CONNECTED, ClientInfo.of("c", null));
        Hooks hooks = Hooks.builder()
            .onMessagePublish(List.of("a/+"), message -> message.withPayload(message.text() + "1"))
            .onMessagePublish(message -> message.withPayload(message.text() + "2"))
            .build();
        check("x12", ((Message) HookTester.of(hooks).publish(Message.of("a/b", "x"))).text());
        check("x2", ((Message) HookTester.of(hooks).publish(Message.of("$SYS/b", "x"))).text());
        try {
            tester.publish(Message.of("in/1", "throw"));
            check("an exception", "none");
        } catch (IllegalStateException expected) {
            check("Annotated.publish threw java.lang.IllegalArgumentException: cannot read it", expected.getMessage());
        }
        System.out.println("all is well");
    }
    static void check(Object expected, Object found) {
        if (!java.util.Objects.equals(expected, found)) throw new AssertionError("expected " + expected + ", found " + found);
    }
}`

describe('Java handlers written for this broker', () => {
  const classes = compiled(
    { 'Annotated.java': annotated, 'Wrong.java': wrong, 'WrongFilter.java': wrongFilter, 'UnitTest.java': unitTest },
    17,
  )

  test('annotated methods get records and answer with every verdict', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { init_module: 'Annotated' })
    const { broker } = java
    const client = await broker.connect({
      clientId: 'c1',
      username: 'ann',
      password: 'pass',
      properties: { sessionExpiryInterval: 5 },
    })
    assert.equal(await java.prints(/^connect /), 'connect c1 {Session-Expiry-Interval=5}')
    const authenticate = await java.prints(/^authenticate/)
    assert.match(authenticate, /clientId=c1, username=ann, protocol=mqtt, protocolVersion=5/)
    assert.ok(!authenticate.slice(0, -5).includes('pass'), 'a record does not print the password')
    assert.ok(authenticate.endsWith(' pass'))
    await java.prints('connack c1 success')
    await java.prints('connected c1 false hookmq@127.0.0.1')
    await java.prints('created c1')
    await client.subscribe('#', { qos: 1 })
    assert.equal(await java.prints(/^authorize/), 'authorize c1 {} SUBSCRIBE # 1 false')
    assert.match(await java.prints(/^subscribe/), /^subscribe \[Subscription\[filter=#, qos=1, noLocal=false/)
    assert.match(await java.prints(/^subscribed/), /Subscription\[filter=#.*\] true$/)

    await client.publish('in/1', 'plain', { qos: 1, properties: { userProperties: [['k', 'v']] } })
    assert.equal(Buffer.from((await client.message('in/1')).payload).toString(), 'plain')
    assert.match(
      await java.prints(/^publish/),
      /Message\[topic=in\/1, payload=5 bytes, qos=1, retain=false, from=c1, id=[0-9A-F]{32}\] \[UserProperty\[name=k, value=v\]\] ann/,
    )
    await java.prints('delivered c1 in/1')
    await java.prints('acked in/1')
    await client.publish('in/2', 'stop')
    assert.equal(Buffer.from((await client.message('in/2')).payload).toString(), 'stopped')
    await client.publish('in/3', 'drop', { qos: 1 })
    await assert.rejects(client.publish('in/3', 'reject', { qos: 1 }), { reasonCode: 0x97 })
    assert.deepEqual(await client.untaken(), [])
    await client.publish('in/4', 'throw', { qos: 1 })
    assert.equal(Buffer.from((await client.message('in/4')).payload).toString(), 'throw')
    await java.logs(
      /message\.publish: java\.lang\.IllegalArgumentException: cannot read it \(Annotated\.java line \d+\)/,
    )
    await client.publish('later', 'now')
    assert.equal(Buffer.from((await client.message('later')).payload).toString(), 'from a future')
    await client.publish('in/5', 'everything')
    const changed = await client.message('out/other')
    assert.equal(Buffer.from(changed.payload).toString(), 'all')
    assert.equal(changed.qos, 1)
    const retained = broker.admin.retained.get('out/other')
    assert.equal(retained?.properties.contentType, 'text/plain')
    assert.equal(retained.properties.messageExpiryInterval, 60)
    assert.equal(retained.properties.responseTopic, 'answers')
    assert.deepEqual(Buffer.from(retained.properties.correlationData ?? ''), Buffer.of(1, 2))
    assert.deepEqual(retained.properties.userProperties, [
      ['a', 'b'],
      ['a', 'c'],
    ])

    await client.ping()
    await java.prints('ping c1')
    await assert.rejects(client.subscribe('secret/1'), { reasonCode: 0x87 })
    await client.unsubscribe('#')
    await java.prints('unsubscribe [#]')
    await java.prints('unsubscribed #')
    await client.publish('nobody', 'x')
    await java.prints('dropped nobody no_subscribers')

    await assert.rejects(broker.connect({ username: 'refused' }), { reasonCode: 0x86 })
    const admin = await broker.connect({ clientId: 'boss', username: 'admin' })
    assert.equal(broker.admin.client('boss')?.client.superuser, true)
    assert.deepEqual(broker.admin.client('boss')?.client.attributes, { role: 'boss' })
    await admin.subscribe('secret/1')
    await broker.connect({ clientId: 'first-name', username: 'renamed' })
    assert.equal(broker.admin.client('other-name')?.client.username, 'other-user')
    await client.publish('in/6', 'disconnect').catch(() => {})
    await client.ended
    await java.prints(/^disconnected c1/)
    await broker.unload('extension-hook')
    assert.ok(java.printed().includes('closed'))
  })

  test('methods of the wrong kind, and filters that are none, are refused in one line', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { init_module: 'Wrong' })
    assert.match(
      java.logged(),
      /driver java: init: Wrong\.publish: returns String; @OnMessagePublish needs PublishVerdict, Message or void/,
    )
    const other = await start(t, path, { init_module: 'WrongFilter' })
    assert.match(other.logged(), /WrongFilter\.publish: topic filter 'a\/#\/b' has '#' before its last level/)
  })

  test('are tested without a broker', async (t) => {
    const path = await classes(t)
    const java = findProgram('java')
    if (path === undefined || java === undefined) return
    const { stdout } = await execute(java, ['-cp', `${join(await findArchives(), 'hookmq.jar')}:${path}`, 'UnitTest'])
    assert.match(stdout, /all is well/)
  })
})
