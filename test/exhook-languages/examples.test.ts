import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { requirement } from '../support/requirements.ts'
import { until } from '../support/wait.ts'
import { connect, type Provider, root, startBroker, startProvider, subscriber } from './broker.ts'

// Each example is built as its README says and used by a broker.
const made = mkdtempSync(join(tmpdir(), 'hookmq-languages-'))
after(() => rmSync(made, { recursive: true, force: true }))

const examples: Record<string, (t: TestContext) => Promise<Provider> | undefined> = {
  Python(t) {
    const python = requirement('grpcio', t)
    if (python === undefined) return undefined
    return startProvider(t, python, [join(root, 'examples/exhook-python-grpc/provider.py'), '--listen', '127.0.0.1:0'])
  },
  Go(t) {
    const go = requirement('go', t)
    if (go === undefined) return undefined
    const folder = join(root, 'examples/exhook-go')
    const program = join(made, 'exhook-go')
    build(go, ['build', '-o', program, '.'], folder)
    build(go, ['vet', '.'], folder)
    return startProvider(t, program, ['-listen', '127.0.0.1:0'], folder)
  },
  Java(t) {
    const mvn = requirement('mvn', t)
    if (mvn === undefined || requirement('javac', t) === undefined) return undefined
    const folder = join(root, 'examples/exhook-java')
    const output = join(root, '.cache/exhook-java')
    const jar = join(output, 'exhook-java.jar')
    const sources = [
      'pom.xml',
      'src/main/java/com/example/Provider.java',
      '../../sdk/proto/emqx/exhook/v3/exhook.proto',
    ]
    // .ci/setup has built it already.
    if (
      !isNewer(
        jar,
        sources.map((source) => join(folder, source)),
      )
    )
      build(mvn, ['-q', '-B', `-Doutput=${output}`, 'package'], folder)
    return startProvider(t, 'java', ['-jar', jar, '127.0.0.1:0'], folder)
  },
}

function isNewer(file: string, sources: readonly string[]): boolean {
  return existsSync(file) && sources.every((source) => statSync(source).mtimeMs < statSync(file).mtimeMs)
}

function build(program: string, args: readonly string[], folder: string): void {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stdout}${stderr}`)
}

for (const [language, start] of Object.entries(examples)) {
  test(`the example in ${language} serves a broker`, async (t) => {
    const provider = await start(t)
    if (provider === undefined) return
    const broker = await startBroker(t, provider)
    const { texts } = await subscriber(t, broker)
    const publisher = await connect(t, broker, { clientId: 'press-4' })
    await publisher.publishAsync('t/a', 'hello', { qos: 1 })
    await publisher.publishAsync('other', 'hello', { qos: 1 })
    await until(() => texts.length === 2, 'two messages')
    assert.deepEqual(texts, [`t/a hello (seen by ${language})`, 'other hello'])
    await assert.rejects(connect(t, broker, { username: 'stranger' }), /Not authorized/)
    await until(() => provider.output().includes('connected: press-4'), 'the client to be seen')
    assert.match(provider.output(), /loaded by HookMQ/)
  })
}
