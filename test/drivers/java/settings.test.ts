import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { requirement } from '../../support/requirements.ts'
import { until } from '../../support/wait.ts'
import { compiled, folder, start } from './support.ts'

/** Answers with the payload that it got, and says in which process. */
const handler = (answer: string): string => `
import com.erlport.erlang.term.*;
import java.util.*;
public class Main {
    static final String process = java.lang.management.ManagementFactory.getRuntimeMXBean().getName().split("@")[0];
    static List<byte[]> kept = new ArrayList<>();

    public static Object init() {
        return Tuple.two(0, Tuple.two(Arrays.asList(Tuple.three("message_publish", "Main", "publish")), "state"));
    }
    public static void deinit() { System.out.println("deinit"); }

    static String field(Object message, int place) { return ((Tuple) ((List<?>) message).get(place)).get(1).toString(); }

    public static Object publish(Object message, Object state) {
        String payload = field(message, 5);
        if (payload.equals("memory")) {
            try { for (;;) kept.add(new byte[8 << 20]); } finally { kept = new ArrayList<>(); }
        }
        if (payload.equals("burn")) for (;;) kept.isEmpty();
        System.out.println(field(message, 3) + " " + payload + " " + process);
        return Tuple.two(0, Arrays.asList(Tuple.two(new Atom("payload"), new Binary(${answer}))));
    }
}`

const classes = compiled({ 'Main.java': handler('"seen"') })

describe('settings of Java drivers', () => {
  test('pool_size: as many processes, and one client always meets the same', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { pool_size: '2' })
    const ids = (await java.processes()).map(String)
    assert.equal(new Set(ids).size, 2)
    const names = Array.from({ length: 12 }, (_, index) => `client-${index}`)
    for (const payload of ['0', '1', '2'])
      await Promise.all(names.map((from) => java.broker.publish({ topic: 'a', from, payload })))
    await until(() => java.printed().length === 36, '36 lines')
    const met = new Map<string, string>()
    for (const line of java.printed()) {
      const [from = '', , id = ''] = line.split(' ')
      assert.equal(met.get(from) ?? id, id, from)
      met.set(from, id)
      assert.ok(ids.includes(id))
    }
    assert.equal(new Set(met.values()).size, 2)
    for (const from of names)
      assert.deepEqual(
        java.printed().flatMap((line) => (line.startsWith(`${from} `) ? [line.split(' ')[1]] : [])),
        ['0', '1', '2'],
      )
  })

  test('hot_reload: a saved source is in force soon after, one with a mistake is not', async (t) => {
    if (requirement('javac', t) === undefined) return
    const path = folder(t)
    const file = join(path, 'Main.java')
    writeFileSync(file, handler('"one"'))
    const java = await start(t, path, { hot_reload: 'on' })
    const payloads: string[] = []
    java.broker.subscribe('a', ({ payload }) => void payloads.push(Buffer.from(payload).toString()))
    const asked = async (): Promise<string | undefined> => {
      await java.broker.publish({ topic: 'a', payload: 'x' })
      return payloads.at(-1)
    }
    assert.equal(await asked(), 'one')
    const before = await java.processes()
    writeFileSync(file, readFileSync(file, 'utf8').replace('"one"', '"two'))
    await java.logs(/Main\.java line \d+: unclosed string literal/)
    assert.equal(await asked(), 'one')
    assert.deepEqual(await java.processes(), before)
    writeFileSync(file, handler('"two"'))
    await java.logs(/driver java: the handler was loaded again/)
    assert.equal(await asked(), 'two')
    await java.prints('deinit')
    assert.ok(payloads.every((one) => one === 'one' || one === 'two'))
    assert.notDeepEqual(await java.processes(), before)
  })

  test('max_memory: who asks for more gets an OutOfMemoryError, and the next call works', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const { broker, logs } = await start(t, path, { max_memory: '64MB' })
    const payloads: string[] = []
    broker.subscribe('a', ({ payload }) => void payloads.push(Buffer.from(payload).toString()))
    await broker.publish({ topic: 'a', payload: 'memory' })
    await logs(/driver java: message_publish: java\.lang\.OutOfMemoryError/)
    await broker.publish({ topic: 'a', payload: 'x' })
    assert.deepEqual(payloads, ['memory', 'seen'])
  })

  test('max_cpu_time: a process that has used it up is replaced', {
    skip: process.platform === 'win32' && 'there are no such limits',
  }, async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { max_cpu_time: '3s', call_timeout: '30s' })
    const before = await java.processes()
    const payloads: string[] = []
    java.broker.subscribe('a', ({ payload }) => void payloads.push(Buffer.from(payload).toString()))
    await java.broker.publish({ topic: 'a', payload: 'burn' })
    await java.logs(/driver java: the process was ended by SIG(?:KILL|XCPU); it is started again/)
    await java.logs(/driver java: the process runs again/)
    await java.broker.publish({ topic: 'a', payload: 'x' })
    assert.deepEqual(payloads, ['burn', 'seen'])
    assert.notDeepEqual(await java.processes(), before)
  })
})
