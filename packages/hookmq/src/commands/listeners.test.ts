import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

const listeners = [{ type: 'tcp', name: 'external' }] as const

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

test('4.x: list, stop, start, restart by identifier', async (scope) => {
  const { broker, lines, run } = await startOperated(scope, '4.x', { listeners })
  const { address } = broker.listeners[0]
  const port = Number(address.split(':')[1])
  assert.deepEqual(await lines('listeners'), [
    'mqtt:tcp:external',
    `  listen_on       : ${address}`,
    '  acceptors       : 1',
    `  max_conns       : ${broker.listeners[0].maxConnections}`,
    '  current_conn    : 0',
    '  shutdown_count  : []',
  ])
  assert.deepEqual(await lines('listeners', 'stop', 'mqtt:tcp:external'), [
    `Stop mqtt:tcp:external listener on ${address} successfully.`,
  ])
  assert.equal(await accepts(port), false)
  assert.equal((await lines('listeners')).at(-1), '  running         : false')
  assert.deepEqual(await lines('listeners', 'start', 'tcp:external'), [
    'Started mqtt:tcp:external listener successfully.',
  ])
  assert.deepEqual(await lines('listeners', 'restart', 'mqtt:tcp:external'), [
    'Restarted mqtt:tcp:external listener successfully.',
  ])
  assert.equal(await accepts(Number(broker.listeners[0].address.split(':')[1])), true)
  assert.deepEqual(await lines('listeners', 'stop', 'mqtt:tcp:none'), ['No such listener mqtt:tcp:none'])
  assert.equal((await run('listeners', 'explode', 'x')).exitCode, 2)
})

test('2.x: by protocol and port', async (scope) => {
  const { broker, lines } = await startOperated(scope, '2.x', { listeners })
  const { address } = broker.listeners[0]
  const port = address.split(':')[1]
  const [head, ...rows] = await lines('listeners')
  assert.equal(head, `listener on mqtt:tcp:${address}`)
  assert.deepEqual(
    rows.map((row) => row.slice(0, 20)),
    ['acceptors', 'max_clients', 'current_clients', 'shutdown_count'].map((name) => `  ${name.padEnd(16)}: `),
  )
  assert.deepEqual(await lines('listeners', 'stop', 'mqtt:tcp', port), [
    `Stop mqtt:tcp listener on ${port} successfully.`,
  ])
  const stopped = broker.listeners[0].address
  assert.deepEqual(await lines('listeners', 'start', 'mqtt:tcp', stopped), [
    `Start mqtt:tcp listener on ${stopped} successfully.`,
  ])
})
