import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { until } from '../../support/wait.ts'
import { compiled, folder, start } from './support.ts'

const specs = (name: string): string =>
  `Tuple.two(0, Tuple.two(java.util.Arrays.asList(Tuple.three("message_publish", "${name}", "publish"), Tuple.three("client_authenticate", "${name}", "authenticate")), "s"))`

/** A class that starts as its body says, and fails as the payload of a message says. */
const failing = (name: string, init: string, more = ''): string => `
import com.erlport.erlang.term.*;
import java.util.*;
public class ${name} {
    ${more}
    public static Object init() throws Exception { ${init} }
    static String payload(Object message) { return ((Tuple) ((List<?>) message).get(5)).get(1).toString(); }
    public static Object authenticate(Object info, Object result, Object state) { return Tuple.two(0, true); }
    public static Object publish(Object message, Object state) throws Exception {
        switch (payload(message)) {
            case "throw": throw new IllegalStateException("not this one");
            case "error": throw new StackOverflowError();
            case "exit": System.exit(3);
            case "halt": Runtime.getRuntime().halt(4);
            case "hang": Thread.sleep(60000);
            case "class": return Tuple.two(0, new Thread());
            case "garbage": {
                System.out.write(new byte[] {0, 0, 0, 1, 9, (byte) 255, 10});
                System.out.println("héllo from\\nSystem.out");
                new java.io.FileOutputStream(java.io.FileDescriptor.out).write("raw bytes on 1\\n".getBytes());
                new ProcessBuilder("sh", "-c", "echo from a child process; cat").inheritIO().start().waitFor();
                if (System.in.read() != -1) throw new IllegalStateException("there is something in System.in");
                return null;
            }
            case "flood": for (int line = 0; line < 20000; line++) System.out.println("flood " + line); return null;
            case "grow": { List<Object> big = new ArrayList<>(); big.add(Tuple.two(new Atom("payload"), new Binary(new byte[10 << 20]))); return Tuple.two(0, big); }
            default: return Tuple.two(0, Arrays.asList(Tuple.two(new Atom("payload"), new Binary("answered"))));
        }
    }
}`

const classes = compiled({
  'Good.java': failing('Good', `return ${specs('Good')};`),
  'Refuses.java': failing('Refuses', 'return Tuple.two(1, new Binary("no database"));'),
  'Nothing.java': failing('Nothing', 'return null;'),
  'Throws.java': failing('Throws', 'throw new java.io.IOException("cannot open it");'),
  'Hangs.java': failing('Hangs', 'Thread.sleep(60000); return null;'),
  'Exits.java': failing('Exits', 'System.exit(7); return null;'),
  'Shapes.java': failing('Shapes', 'return Tuple.two(0, Tuple.two(java.util.Arrays.asList("client_connect"), "s"));'),
  'Static.java': failing(
    'Static',
    'return null;',
    'static { if (true) throw new IllegalStateException("in the class"); }',
  ),
  'State.java': failing('State', `return Tuple.two(0, Tuple.two(new ArrayList<>(), new Thread()));`),
  'NoInit.java': 'public class NoInit {}',
  'Constructor.java':
    'public class Constructor { public Constructor() { throw new IllegalStateException("in the constructor"); } public Object init() { return null; } }',
  'Argument.java': 'public class Argument { public Argument(int one) {} public Object init() { return null; } }',
})

const authenticate = { clientId: 'c' }

describe('Java handlers that cannot be loaded', () => {
  const cases: readonly (readonly [initModule: string, line: RegExp])[] = [
    ['Missing', /driver java: init: there is no class Missing in the path of the driver/],
    ['Refuses', /driver java: init: init of Refuses refused: no database/],
    ['Nothing', /driver java: init: init of Nothing must answer \(0, \(hooks, state\)\); it answered null/],
    ['Throws', /driver java: init: java\.io\.IOException: cannot open it \(Throws\.java line \d+\)/],
    ['Hangs', /driver java: init\(\) of Hangs did not return within 700 ms/],
    ['Exits', /driver java: init\(\) of Exits: the process ended with exit code 7/],
    ['Shapes', /driver java: init: hook 1 in the answer of init must be \(hook, class, method\)/],
    ['Static', /driver java: init: .*ExceptionInInitializerError/],
    ['State', /the state in the answer of init, a java\.lang\.Thread, cannot be serialized/],
    ['NoInit', /class NoInit has no method init with 0 parameters/],
    ['Constructor', /java\.lang\.IllegalStateException: in the constructor \(Constructor\.java line 1\)/],
    ['Argument', /class Argument has no constructor without parameters/],
  ]
  for (const [initModule, line] of cases)
    test(`${initModule}: said in one line, and the broker goes on`, async (t) => {
      const path = await classes(t)
      if (path === undefined) return
      const java = await start(t, path, { init_module: initModule, call_timeout: '700ms', start_timeout: '10s' })
      assert.match(java.logged(), line)
      assert.deepEqual((await java.broker.ctl('exhook drivers list')).lines, [])
      await java.broker.connect(authenticate)
    })

  test('no java, or something else under that name', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const absent = await start(t, path, { init_module: 'Good', command: '/nowhere/java' })
    assert.match(
      absent.logged(),
      /driver java: there is no '\/nowhere\/java' to be found; install Java 8 or newer, or set exhook\.drivers\.java\.command/,
    )
    const other = await start(t, path, { init_module: 'Good', command: '/bin/echo' })
    assert.match(other.logged(), /driver java: '\/bin\/echo' does not run as Java/)
    const nowhere = await start(t, path, { init_module: 'Good', path: join(path, 'not there') })
    assert.match(nowhere.logged(), /driver java: there is no .*not there \(exhook\.drivers\.java\.path\)/)
  })

  test('a source with a mistake is shown with file and line; repaired, it is loaded', async (t) => {
    if ((await classes(t)) === undefined) return
    const path = folder(t)
    mkdirSync(join(path, 'data'))
    writeFileSync(join(path, 'Main.java'), 'public class Main {\n  public Object init() { return nothing; }\n}\n')
    const java = await start(t, path)
    assert.match(java.logged(), /driver java: init: Main\.java line 2: cannot find symbol/)
    writeFileSync(join(path, 'Main.java'), failing('Main', `return ${specs('Main')};`))
    assert.deepEqual((await java.broker.ctl('exhook drivers reload java')).lines, ['ok'])
    const client = await java.broker.connect(authenticate)
    await client.subscribe('t')
    await client.publish('t', 'x')
    assert.equal(Buffer.from((await client.message('t')).payload).toString(), 'answered')
  })
})

describe('Java callbacks that fail', () => {
  test('leave the message as it is, at once, and are named in the log', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { init_module: 'Good' })
    const client = await java.broker.connect(authenticate)
    await client.subscribe('#')
    const began = performance.now()
    for (const payload of ['throw', 'error', 'class']) {
      await client.publish(payload, payload, { qos: 1 })
      assert.equal(Buffer.from((await client.message(payload)).payload).toString(), payload)
    }
    assert.ok(performance.now() - began < 5000, 'nobody has waited for call_timeout')
    await java.logs(
      /driver java: message_publish: java\.lang\.IllegalStateException: not this one \(Good\.java line \d+\)/,
    )
    await java.logs(/driver java: message_publish: java\.lang\.StackOverflowError/)
    await java.logs(/driver java: message_publish:.*Good\.publish|driver java: message_publish.*class/)
  })

  test('garbage on every output, and input for nobody, do not harm', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { init_module: 'Good' })
    const client = await java.broker.connect(authenticate)
    await client.publish('t', 'garbage', { qos: 1 })
    await java.prints('héllo from')
    await java.prints('System.out')
    await java.prints('raw bytes on 1')
    await java.prints('from a child process')
    await client.publish('t', 'flood', { qos: 1 })
    assert.ok(java.printed().filter((line) => line.startsWith('flood')).length <= 10_000, 'bounded')
    await client.subscribe('t')
    await client.publish('t', 'x')
    assert.equal(Buffer.from((await client.message('t')).payload).toString(), 'answered')
    assert.doesNotMatch(java.logged(), /java\.lang/)
  })

  test('10 MB go in and come out', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { init_module: 'Good' }, { maxPacketSize: 32 << 20 })
    const client = await java.broker.connect(authenticate)
    await client.subscribe('t')
    await client.publish('t', Buffer.alloc(10 << 20, 'x'))
    assert.equal(Buffer.from((await client.message('t')).payload).toString(), 'answered')
    await client.publish('t', 'grow')
    assert.equal((await client.message('t')).payload.length, 10 << 20)
  })

  for (const [payload, cause] of [
    ['exit', 'ended with exit code 3'],
    ['halt', 'ended with exit code 4'],
  ] as const)
    test(`${payload}: the process is started again, and init is called again`, async (t) => {
      const path = await classes(t)
      if (path === undefined) return
      const java = await start(t, path, { init_module: 'Good', restart_delay: '10ms' })
      const client = await java.broker.connect(authenticate)
      await client.subscribe('#')
      await client.publish(payload, payload, { qos: 1 })
      assert.equal(Buffer.from((await client.message(payload)).payload).toString(), payload, 'as it was')
      await java.logs(new RegExp(`driver java: the process ${cause}; it is started again`))
      await java.logs(/driver java: the process runs again/)
      await client.publish('t', 'x')
      assert.equal(Buffer.from((await client.message('t')).payload).toString(), 'answered')
    })

  test('kill -9: the call in flight fails fast, the next events flow again', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, { init_module: 'Good', restart_delay: '10ms', call_timeout: '30s' })
    const client = await java.broker.connect(authenticate)
    await client.subscribe('#')
    const waiting = client.publish('waiting', 'hang', { qos: 1 })
    const [processId] = await java.processes()
    assert.ok(processId !== undefined)
    process.kill(processId, 'SIGKILL')
    await waiting
    await java.logs(/driver java: the process was ended by SIGKILL/)
    await java.logs(/driver java: the process runs again/)
    await client.publish('t', 'x')
    await until(
      () => client.messages.some(({ payload }) => Buffer.from(payload).toString() === 'answered'),
      'an answer',
    )
  })

  test('one that stops reading: its own calls time out, it is replaced, nobody else notices', async (t) => {
    const path = await classes(t)
    if (path === undefined) return
    const java = await start(t, path, {
      init_module: 'Good',
      call_timeout: '300ms',
      restart_after_timeouts: '2',
      restart_delay: '10ms',
    })
    const client = await java.broker.connect(authenticate)
    await client.subscribe('#')
    const [processId] = await java.processes()
    assert.ok(processId !== undefined)
    process.kill(processId, 'SIGSTOP')
    // Each thread stops by itself.
    const states = (): string =>
      execFileSync('ps', ['-L', '-o', 'state=', '-p', String(processId)], { encoding: 'utf8' })
    await until(() => /^(T\s*)+$/.test(states()), 'all threads of the process to be stopped')
    for (let count = 0; count < 3; count++) await client.publish('stopped', 'x'.repeat(100_000), { qos: 1 })
    await java.logs(/driver java: the process left 2 calls one after the other without an answer/)
    await java.logs(/driver java: the process runs again/)
    assert.deepEqual((await client.message('stopped')).payload.length, 100_000)
    await client.publish('t', 'x')
    assert.equal(Buffer.from((await client.message('t')).payload).toString(), 'answered')
  })
})
