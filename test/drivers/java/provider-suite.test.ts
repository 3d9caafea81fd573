import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type HookPointName, resolveHookPoint } from '@hookmq/api'
import {
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

const classes = compiled({ 'FarEnd.java': farEnd }, 17)

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

function create(script: ProviderScript, path: string): ProviderUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-java-suite-'))
  mkdirSync(folder, { recursive: true })
  const lines = script.hooks.map(({ name, observe = false, topics = [] }) =>
    line(name, observe, topics, script.answers?.[resolveHookPoint(name) as HookPointName]),
  )
  if (script.refuseLoad !== undefined) lines.push(`refuse\t${script.refuseLoad}\t\t`)
  writeFileSync(join(folder, 'script'), lines.join('\n'))
  const provider = new DriverProvider({
    language: java,
    launch: { name: 'java', path: [path], initModule: 'FarEnd', workingDirectory: folder },
    process: {
      name: 'java',
      initModule: 'FarEnd',
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

const name = 'Java, in a child process'
if (findProgram('javac') === undefined) {
  // Marked as skipped, or a failure on CI.
  test(`hook provider: ${name}`, async (t) => {
    await classes(t)
  })
} else {
  hookProviderSuite({
    name,
    create: async (script) => create(script, (await classes({ skip() {} })) ?? ''),
    host: createHookHost,
    lacks: {
      overtake:
        'the events of a client are handled one after the other, however long one takes; a process that hangs is replaced, as faults.test.ts shows',
      'unknown hook names':
        'a Java handler names hooks by annotations and methods, so the compiler refuses an unknown one',
    },
  })
}
