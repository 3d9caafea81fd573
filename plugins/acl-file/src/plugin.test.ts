import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { AuthorizeRequest, Authorizer, Logger, PluginContext } from '@hookmq/api'
import defaultPlugin, { createAclFilePlugin } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'acl-file-'))
after(() => rmSync(folder, { recursive: true }))

function fileWith(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

/** A host that keeps what the plugin registers. */
function host(config: Record<string, string>): {
  context: PluginContext
  registered: { authorizer: Authorizer; sequence: number | undefined }[]
  warnings: string[]
  unload(): Promise<void>
} {
  const registered: { authorizer: Authorizer; sequence: number | undefined }[] = []
  const warnings: string[] = []
  const teardown: (() => void | Promise<void>)[] = []
  const log: Logger = { debug() {}, info() {}, warn: (text) => warnings.push(text), error() {}, child: () => log }
  const unused = (): never => {
    throw new Error('the plugin has no need of this')
  }
  const context: PluginContext = {
    name: 'acl-file',
    log,
    config,
    terms: {},
    signal: new AbortController().signal,
    authorizer: (authorizer, sequence) => void registered.push({ authorizer, sequence }),
    onTeardown: (run) => void teardown.push(run),
    hook: unused,
    provider: unused,
    authenticator: unused,
    counter: unused,
    retained: unused,
    gauge: unused,
    now: unused,
    every: unused,
    after: unused,
    command: unused,
    route: unused,
    get members() {
      return unused()
    },
    get settings() {
      return unused()
    },
    get admin() {
      return unused()
    },
    get store() {
      return unused()
    },
    get broker() {
      return unused()
    },
  }
  return {
    context,
    registered,
    warnings,
    async unload() {
      for (const run of teardown) await run()
    },
  }
}

const publish = (topic: string): AuthorizeRequest => ({
  client: {
    clientId: 'c1',
    protocol: 'mqtt',
    protocolVersion: 5,
    listener: 'tcp:external',
    peerhost: '10.0.0.1',
    peerport: 1,
    sockport: 1883,
    mountpoint: '',
    superuser: false,
    anonymous: true,
    bridge: false,
    attributes: {},
  },
  action: 'publish',
  topic,
  qos: 1,
  retain: false,
})

describe('acl-file', () => {
  it('registers one authorizer, behind those that do not say where', async () => {
    const { context, registered } = host({ file: fileWith('one.conf', '{deny, all, publish, ["a"]}.') })
    await createAclFilePlugin().setup(context)
    assert.equal(registered.length, 1)
    assert.ok((registered[0].sequence ?? 0) < 0)
    assert.equal(registered[0].authorizer.name, 'acl-file')
    assert.equal(registered[0].authorizer.authorize(publish('a')), 'deny')
    assert.equal(registered[0].authorizer.authorize(publish('b')), 'ignore')
  })

  it('reloads, and keeps the old rules when the new ones are wrong or gone', async () => {
    const file = fileWith('two.conf', '{deny, all}.')
    const { context, registered } = host({})
    const plugin = createAclFilePlugin({ file })
    await plugin.setup(context)
    const decide = (): unknown => registered[0].authorizer.authorize(publish('a'))
    fileWith('two.conf', '{allow, all}.')
    assert.equal(decide(), 'deny')
    await plugin.reload()
    assert.equal(decide(), 'allow')
    fileWith('two.conf', '{deny, all}.\n{deny, al}.')
    await assert.rejects(plugin.reload(), {
      name: 'TermError',
      message: `${file}:2:8: expected all, in a rule of two parts, got al`,
    })
    assert.equal(decide(), 'allow')
    rmSync(file)
    await assert.rejects(plugin.reload(), {
      message: `${file}: the file of access rules (acl_file) cannot be read (no such file)`,
    })
    assert.equal(decide(), 'allow')
  })

  it('does not load with a file that is wrong or missing', async () => {
    const { context, registered } = host({ file: fileWith('three.conf', '{allow, all}') })
    await assert.rejects(async () => createAclFilePlugin().setup(context), /three\.conf:1:13: expected "\."/)
    await assert.rejects(async () => createAclFilePlugin({ file: join(folder, 'none') }).setup(context), /no such file/)
    assert.equal(registered.length, 0)
  })

  it('decides nothing without a file, and says so', async () => {
    const { context, registered, warnings } = host({})
    await createAclFilePlugin().setup(context)
    assert.equal(registered.length, 0)
    assert.equal(warnings.length, 1)
  })

  it('cannot be reloaded when it is not loaded', async () => {
    const plugin = createAclFilePlugin({ file: fileWith('four.conf', '{allow, all}.') })
    await assert.rejects(plugin.reload(), /not loaded/)
    const { context, unload } = host({})
    await plugin.setup(context)
    await plugin.reload()
    await unload()
    await assert.rejects(plugin.reload(), /not loaded/)
  })

  it('is the default export, as plugins are', () => assert.equal(defaultPlugin.name, 'acl-file'))
})
