import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type HookPointName, resolveHookPoint } from '@hookmq/api'
import {
  type HookProviderHarness,
  hookProviderSuite,
  type ProviderScript,
  type ProviderUnderTest,
  type Received,
  type ScriptedAnswer,
} from '@hookmq/api/testing'
import { createHookHost } from '@hookmq/core/testing'
import { DriverProvider } from '@hookmq/provider-driver'
import { findProgram, java } from '@hookmq/provider-driver/java'
import { collectLog } from '../../support/log.ts'
import { compiled } from './support.ts'

/** Reads its script from a file, and writes down what reaches it. */
const farEnd = `
import io.hookmq.*;
import java.nio.file.*;
import java.util.*;

public class FarEnd implements HookSource {
    private final Path folder = Path.of("").toAbsolutePath();

    private synchronized void write(String line) {
        try { Files.writeString(folder.resolve("received"), line + "\\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND); }
        catch (java.io.IOException failed) { throw new java.io.UncheckedIOException(failed); }
    }

    public Hooks hooks() {
        write("load");
        Hooks.Builder hooks = Hooks.builder();
        List<String> lines;
        try { lines = Files.readAllLines(folder.resolve("script")); }
        catch (java.io.IOException failed) { throw new java.io.UncheckedIOException(failed); }
        for (String line : lines) {
            String[] words = line.split("\\t", -1);
            List<String> topics = words[2].isEmpty() ? List.of() : List.of(words[2].split(","));
            String answer = words[3];
            switch (words[0]) {
                case "refuse" -> throw new IllegalStateException(words[1]);
                case "message.publish" -> {
                    if (words[1].equals("observe")) hooks.observeMessagePublish(topics, message -> publish(message, answer));
                    else hooks.onMessagePublish(topics, message -> publish(message, answer));
                }
                case "client.authenticate" -> hooks.onClientAuthenticate(client -> decide("client.authenticate", client.clientId(), "", answer));
                case "client.authorize" -> hooks.onClientAuthorize(request -> decide("client.authorize", request.client().clientId(), request.topic(), answer));
                case "client.ping" -> hooks.onClientPing(client -> decide("client.ping", client.clientId(), "", answer));
                case "session.created" -> hooks.onSessionCreated(client -> decide("session.created", client.clientId(), "", answer));
                case "client.connected" -> hooks.onClientConnected(client -> decide("client.connected", client.clientId(), "", answer));
                case "client.disconnected" -> hooks.onClientDisconnected(event -> decide("client.disconnected", event.client().clientId(), "", answer));
                case "session.subscribed" -> hooks.onSessionSubscribed(event -> decide("session.subscribed", event.client().clientId(), event.subscription().filter(), answer));
                default -> throw new IllegalStateException("the far end has no hook " + words[0]);
            }
        }
        return hooks.build();
    }

    private PublishVerdict publish(Message message, String answer) {
        write("message.publish\\t" + message.from() + "\\t" + message.topic());
        String[] parts = answer.split(" ");
        return switch (parts[0]) {
            case "payload" -> message.withPayload(parts[1]);
            case "stop" -> PublishVerdict.stop(message.withPayload(parts[1]));
            case "drop" -> PublishVerdict.drop();
            case "reject" -> PublishVerdict.reject(Integer.parseInt(parts[1]));
            case "disconnect" -> PublishVerdict.disconnect(Integer.parseInt(parts[1]));
            default -> { common(answer); yield null; }
        };
    }

    private AccessVerdict decide(String point, String clientId, String topic, String answer) {
        write(point + "\\t" + clientId + "\\t" + topic);
        if (answer.equals("allow")) return AccessVerdict.allow();
        if (answer.equals("deny")) return AccessVerdict.deny();
        common(answer);
        return null;
    }

    private void common(String answer) {
        if (answer.equals("throw")) throw new IllegalStateException("scripted");
        while (answer.equals("hold") && !Files.exists(folder.resolve("release"))) {
            try { Thread.sleep(1); } catch (InterruptedException early) { return; }
        }
    }

    @Override public void close() { write("unload"); }
}`

/** The same in functions and tuples, as they were written for EMQX 4.1. */
const farEnd41 = `
import com.erlport.erlang.term.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;

public class FarEnd41 {
    private static final Path folder = Paths.get("").toAbsolutePath();
    private static final Map<String, String> answers = new HashMap<>();

    private static synchronized void write(String line) throws Exception {
        Files.write(folder.resolve("received"), (line + "\\n").getBytes(StandardCharsets.UTF_8), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    public static Object init() throws Exception {
        write("load");
        List<Object> specs = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("script"))) {
            String[] words = line.split("\\t", -1);
            if (words[0].isEmpty()) continue;
            if (words[0].equals("refuse")) return Tuple.two(1, words[1]);
            String name = words[0].equals("client.authorize") ? "client_check_acl" : words[0].replace('.', '_');
            answers.put(name, words[3]);
            List<Object> topics = new ArrayList<>();
            for (String topic : words[2].split(",")) if (!topic.isEmpty()) topics.add(new Binary(topic));
            List<Object> options = new ArrayList<>();
            if (!topics.isEmpty()) options.add(Tuple.two(new Atom("topics"), topics));
            specs.add(Tuple.four(name, "FarEnd41", name, options));
        }
        return Tuple.two(0, Tuple.two(specs, "state"));
    }

    public static void deinit() throws Exception { write("unload"); }

    private static String field(Object pairs, int place) {
        return ((Tuple) ((List<?>) pairs).get(place)).get(1).toString();
    }

    private static Object answer(String hook, String line) throws Exception {
        write(line);
        String[] parts = answers.get(hook).split(" ");
        switch (parts[0]) {
            case "throw": throw new IllegalStateException("scripted");
            case "hold": while (!Files.exists(folder.resolve("release"))) Thread.sleep(1); return null;
            case "payload":
            case "stop": return Tuple.two(0, Collections.singletonList(Tuple.two(new Atom("payload"), new Binary(parts[1]))));
            case "allow": return Tuple.two(0, true);
            case "deny": return Tuple.two(0, false);
            default: return hook.equals("message_publish") ? null : Tuple.two(1, "no opinion");
        }
    }

    public static Object message_publish(Object message, Object state) throws Exception {
        return answer("message_publish", "message.publish\\t" + field(message, 3) + "\\t" + field(message, 4));
    }
    public static Object client_authenticate(Object client, Object allowed, Object state) throws Exception {
        return answer("client_authenticate", "client.authenticate\\t" + field(client, 1) + "\\t");
    }
    public static Object client_check_acl(Object client, Object action, Object topic, Object allowed, Object state) throws Exception {
        return answer("client_check_acl", "client.authorize\\t" + field(client, 1) + "\\t" + topic);
    }
    public static void session_created(Object client, Object state) throws Exception {
        answer("session_created", "session.created\\t" + field(client, 1) + "\\t");
    }
    public static void client_connected(Object client, Object state) throws Exception {
        answer("client_connected", "client.connected\\t" + field(client, 1) + "\\t");
    }
    public static void client_disconnected(Object client, Object reason, Object state) throws Exception {
        answer("client_disconnected", "client.disconnected\\t" + field(client, 1) + "\\t");
    }
    public static void session_subscribed(Object client, Object topic, Object options, Object state) throws Exception {
        answer("session_subscribed", "session.subscribed\\t" + field(client, 1) + "\\t" + topic);
    }
}`

const classes = compiled({ 'FarEnd.java': farEnd }, 17)
const classes41 = compiled({ 'FarEnd41.java': farEnd41 })

function line(name: string, observe: boolean, topics: readonly string[], answer: ScriptedAnswer | undefined): string {
  const said = answer ?? { do: 'continue' }
  const words =
    said.do === 'payload'
      ? `${said.stop === true ? 'stop' : 'payload'} ${said.payload}`
      : said.do === 'reject' || said.do === 'disconnect'
        ? `${said.do} ${said.code}`
        : said.do
  return [resolveHookPoint(name) ?? name, observe ? 'observe' : '', topics.join(','), words].join('\t')
}

function create(initModule: string, script: ProviderScript, path: string): ProviderUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-java-suite-'))
  mkdirSync(folder, { recursive: true })
  const lines = script.hooks.map(({ name, observe = false, topics = [] }) =>
    line(name, observe, topics, script.answers?.[resolveHookPoint(name) as HookPointName]),
  )
  if (script.refuseLoad !== undefined) lines.push(`refuse\t${script.refuseLoad}\t\t`)
  writeFileSync(join(folder, 'script'), lines.join('\n'))
  const provider = new DriverProvider({
    language: java,
    launch: { name: 'java', path: [path], initModule, workingDirectory: folder },
    process: {
      name: 'java',
      initModule,
      workingDirectory: folder,
      startTimeout: 30_000,
      callTimeout: 10_000,
      restartAfterTimeouts: 0,
      restartDelay: 100,
      maxRestartDelay: 1000,
      maxBuffered: 1 << 20,
      maxFrame: 1 << 20,
      lines: { length: 1000, rate: 1000 },
    },
    poolSize: 1,
    node: 'test',
    log: collectLog(),
    count: () => {},
    // The suite looks at the policy layer's own queue and order.
    notificationsAhead: 0,
  })
  const written = (): string[][] => {
    const file = join(folder, 'received')
    if (!existsSync(file)) return []
    const all = readFileSync(file, 'utf8').split('\n')
    return all.filter((one) => one !== '').map((one) => one.split('\t'))
  }
  const count = (word: string): number => written().filter(([first]) => first === word).length
  return {
    provider,
    received: async () =>
      written()
        .filter((words) => words.length === 3)
        .map(
          ([point = '', clientId = '', topic = '']) =>
            ({ point, clientId, ...(topic === '' ? {} : { topic }) }) as Received,
        ),
    release: async () => writeFileSync(join(folder, 'release'), ''),
    loads: async () => count('load'),
    unloads: async () => count('unload'),
    async dispose() {
      writeFileSync(join(folder, 'release'), '')
      await provider.unload().catch(() => {})
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function suite(
  name: string,
  initModule: string,
  path: typeof classes,
  lacks: NonNullable<HookProviderHarness['lacks']>,
): void {
  if (findProgram('javac') === undefined) {
    // Marked as skipped, or a failure on CI.
    test(`hook provider: ${name}`, async (t) => {
      await path(t)
    })
    return
  }
  hookProviderSuite({
    name,
    create: async (script) => create(initModule, script, (await path({ skip() {} })) ?? ''),
    host: createHookHost,
    lacks,
  })
}

suite('Java, in a child process', 'FarEnd', classes, {
  'unknown hook names': 'a Java handler names hooks by annotations and methods, so the compiler refuses an unknown one',
})

suite('Java, as for EMQX 4.1', 'FarEnd41', classes41, {
  drop: 'EMQX 4.1: a callback can change a message, not take it away',
  reject: 'EMQX 4.1: a callback can change a message, not refuse it',
  disconnect: 'EMQX 4.1: a callback can change a message, not end a connection',
  observe: 'EMQX 4.1: whoever names a hook that is waited for is waited for',
  'unknown hook names': 'EMQX 4.1: an unknown hook is accepted and never called',
})
