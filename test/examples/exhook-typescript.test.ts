import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import exhook from '@hookmq/provider-exhook'
import { createBroker } from 'hookmq'
import mqtt from 'mqtt'

for (const stream of ['on', 'off'])
  test(`exhook-typescript: one user gets in, sensors speak JSON, who leaves is named (stream ${stream})`, async (scope) => {
    const program = fileURLToPath(new URL('../../examples/exhook-typescript/hooks.ts', import.meta.url))
    const provider = spawn(process.execPath, [program, '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] })
    scope.after(() => void provider.kill('SIGKILL'))
    const output: string[] = []
    const lines = createInterface({ input: provider.stdout })
    lines.on('line', (line) => void output.push(line))
    const said = async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const found = output.map((line) => pattern.exec(line)).find((match) => match !== null)
        if (found !== undefined && found !== null) return found
        await once(lines, 'line')
      }
    }
    const [, address] = await said(
      /^serving hooks on (\S+): client\.disconnected, client\.authenticate, message\.publish$/,
    )
    const config = { 'exhook.server.mine.url': `http://${address}`, 'exhook.server.mine.stream': stream }
    const broker = await createBroker({ listeners: [{ type: 'tcp' }], plugins: [{ plugin: exhook, config }] })
    await broker.start()
    scope.after(() => broker.stop(500))
    await said(/loaded this provider/)
    const connect = (username: string, password: string) =>
      mqtt.connectAsync(`mqtt://${broker.listeners[0].address}`, {
        clientId: 'attic',
        username,
        password,
        reconnectPeriod: 0,
        protocolVersion: 5,
      })
    // Loaded is said before the broker has heard it.
    for (;;) {
      const eve = await connect('eve', 'apple').catch((error: Error) => error)
      if (eve instanceof Error) {
        assert.match(eve.message, /Not authorized/i)
        break
      }
      await eve.endAsync()
    }
    const ann = await connect('ann', 'apple')
    const got: string[] = []
    ann.on('message', (topic, payload) => void got.push(`${topic} ${payload}`))
    await ann.subscribeAsync('#', { qos: 1 })
    await ann.publishAsync('sensors/attic', '21.5', { qos: 1 })
    await ann.publishAsync('other', '21.5', { qos: 1 })
    while (got.length < 2) await new Promise((resolve) => ann.once('message', resolve))
    assert.deepEqual(got, ['sensors/attic {"celsius":21.5}', 'other 21.5'])
    await ann.endAsync()
    await said(/^attic left: normal$/)
    const exited = once(provider, 'exit')
    provider.kill('SIGTERM')
    assert.deepEqual(await exited, [0, null])
  })
