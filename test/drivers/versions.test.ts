import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { allMethods } from './handlers.ts'
import { start } from './support.ts'

// As many as a machine has, also those that pyenv keeps; the one that is simply called python3 is in all other tests.
const versions = ['3.8', '3.9', '3.10', '3.11', '3.12', '3.13', '3.14'].map((version) => `python${version}`)

for (const name of versions) {
  const candidates = [name, ...globSync(join(homedir(), `.pyenv/versions/*/bin/${name}`))]
  const command = candidates.find((one) => spawnSync(one, ['-c', ''], { stdio: 'ignore' }).status === 0)
  const there = command !== undefined
  test(`${name}: the SDK, erlport's types, and an error with its place`, {
    skip: !there && `there is no ${name}`,
  }, async (t) => {
    const { broker, lines, logged } = await start(
      t,
      {
        'hooks.py': `${allMethods}
from erlport import Atom as A
from erlport.erlterms import Atom, List, OpaqueObject
assert A is Atom and issubclass(Atom, bytes) and List([104, 105]).to_string() == "hi"
`,
        'broken.py': 'def init():\n    return 1 +\n',
      },
      {
        'exhook.drivers': 'python3,python',
        'exhook.drivers.python3.init_module': 'hooks',
        'exhook.drivers.python3.command': command ?? name,
        'exhook.drivers.python.init_module': 'broken',
        'exhook.drivers.python.command': command ?? name,
      },
    )
    assert.match(logged(), /driver python: init: SyntaxError: .* \(.*broken\.py line 2\)/)
    const client = await broker.connect({ clientId: 'one' })
    await client.publish('x/1', 'payload', { qos: 1 })
    const printed = await lines(7)
    assert.match(printed.join('\n'), /^on_message_publish \[\{'node': .*'payload': 'payload'/m)
  })
}
