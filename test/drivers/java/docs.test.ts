import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { findArchives, findProgram } from '@hookmq/provider-driver/java'
import { blocksOf } from '../../docs/blocks.ts'
import { requirement } from '../../support/requirements.ts'
import { compile, folder, type Running, start } from './support.ts'

const execute = promisify(execFile)

const examples = new Map(
  blocksOf('hooks-in-java.md').flatMap(({ language, file, text }) =>
    language === 'java' && file !== undefined ? [[file, text] as const] : [],
  ),
)

const uses: Readonly<Record<string, (java: Running) => Promise<void>>> = {
  async Greeter({ broker, prints }) {
    await broker.connect({ clientId: 'ann' })
    await prints('ann is here, from 127.0.0.1')
  },
  async Stamp({ broker }) {
    const client = await broker.connect({ clientId: 'ann' })
    await client.publish('factory/1', 'x', { qos: 1 })
    assert.deepEqual(broker.admin.retained.get('factory/1')?.properties.userProperties, [['sent-by', 'ann']])
  },
  async Door({ broker }) {
    await assert.rejects(broker.connect({ username: 'ann', password: 'pear' }), { reasonCode: 0x86 })
    const ann = await broker.connect({ username: 'ann', password: 'apple' })
    await ann.subscribe('private/ann')
    await assert.rejects(ann.subscribe('private/bob'), { reasonCode: 0x87 })
    const root = await broker.connect({ username: 'root', password: 'tree' })
    await root.subscribe('private/bob')
    await broker.connect({ username: 'stranger' })
  },
  async Filters({ broker, prints }) {
    const client = await broker.connect({ clientId: 'ann' })
    await client.subscribe('chat/#')
    await client.publish('chat/hall', '  hello ')
    assert.equal(Buffer.from((await client.message()).payload).toString(), 'hello')
    await assert.rejects(client.publish('chat/hall', 'x'.repeat(101), { qos: 1 }), { reasonCode: 0x97 })
    await client.close()
    await prints('ann left: normal')
  },
  async SampleHandler({ broker }) {
    await assert.rejects(broker.connect({ clientId: 'nobody' }), { reasonCode: 0x87 })
    const client = await broker.connect({ username: 'ann' })
    await client.subscribe('#')
    await client.publish('old/times', 'quiet')
    assert.equal(Buffer.from((await client.message()).payload).toString(), 'QUIET')
  },
}

describe('docs/hooks-in-java.md', () => {
  test('has a test for each example', () => {
    const names = [...examples.keys()].map((file) => file.replace('.java', ''))
    assert.deepEqual(names.sort(), [...Object.keys(uses), 'FiltersCheck'].sort())
  })

  for (const [name, use] of Object.entries(uses))
    test(`${name}: dropped into the folder as it stands there`, async (t) => {
      if (requirement('javac', t) === undefined) return
      await use(await start(t, example(t, name), { init_module: name }))
    })

  test('FiltersCheck: a test without a broker', async (t) => {
    const [javac, java] = [requirement('javac', t), findProgram('java')]
    if (javac === undefined || java === undefined) return
    const into = folder(t)
    const names = ['Filters.java', 'FiltersCheck.java']
    await compile(javac, into, Object.fromEntries(names.map((name) => [name, examples.get(name) ?? ''])), 17)
    const classes = `${join(await findArchives(), 'hookmq.jar')}:${into}`
    const { stdout } = await execute(java, ['-cp', classes, 'FiltersCheck'])
    assert.match(stdout, /as they should be/)
  })
})

function example(t: Pick<TestContext, 'after'>, name: string): string {
  const into = folder(t)
  writeFileSync(join(into, `${name}.java`), examples.get(`${name}.java`) ?? '')
  return into
}
