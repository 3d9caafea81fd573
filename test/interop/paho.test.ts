import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBroker } from '../support/broker.ts'
import { startTls, startWs } from '../support/listeners.ts'
import { run } from '../support/program.ts'
import { requirement } from '../support/requirements.ts'

const script = join(import.meta.dirname, 'paho_scenarios.py')
const scenarios = ['each_qos', 'retained', 'will', 'waiting_session', 'shared', 'properties', 'tls', 'websocket']

for (const version of ['4', '5']) {
  for (const scenario of scenarios) {
    if (scenario === 'properties' && version === '4') continue
    test(`Paho, ${version === '5' ? 'MQTT 5' : 'MQTT 3.1.1'}: ${scenario}`, async (t) => {
      const python = requirement('paho', t)
      if (python === undefined) return
      const broker = await startBroker(t)
      const args = [script, scenario, version]
      if (scenario === 'tls') {
        if (requirement('openssl', t) === undefined) return
        const { port, ca } = await startTls(t, broker)
        args.push(String(port), ca)
      } else if (scenario === 'websocket') args.push(String((await startWs(t, broker)).port))
      else args.push(String(broker.port))
      assert.deepEqual(await run(t, python, args), ['passed'])
    })
  }
}
