import { hookProviderSuite } from '@hookmq/api/testing'
import { createHookHost } from '@hookmq/core/testing'
import { readServer } from '../settings.ts'
import { silent, testIdentity } from '../testing/harness.ts'
import { UnaryProvider } from '../unary/provider.ts'
import { streamCarrier } from './carrier.ts'
import { FarEnd } from './far-end.testing.ts'

for (const ahead of ['0', '2000'])
  hookProviderSuite({
    name: `ExHook, batches over a stream, served by the SDK in another process, ${ahead} notifications ahead`,
    async create({ hooks, answers, refuseLoad }) {
      const far = await FarEnd.start({ hooks, answers: { ...answers }, refuseLoad })
      const settings = readServer('far', {
        url: far.url,
        request_timeout: '10s',
        stream: 'on',
        'stream.notifications_ahead': ahead,
      })
      const provider = new UnaryProvider({
        settings,
        broker: testIdentity,
        log: silent,
        carrier: streamCarrier(silent),
      })
      return {
        provider,
        received: async () => (await far.ask()).received as never,
        release: async () => void (await far.ask('release')),
        loads: async () => (await far.ask()).loads,
        unloads: async () => (await far.ask()).unloads,
        dispose: () => far.kill(),
      }
    },
    host: createHookHost,
    lacks: {
      reject: 'the answers of ExHook have no reason codes unless a provider asks for full messages',
      disconnect: 'the answers of ExHook have no reason codes unless a provider asks for full messages',
      'unknown hook names': 'the SDK refuses to serve a hook that is none',
      'old hook names': 'the SDK refuses to serve a hook that is none',
      observe: 'LoadedResponse has no way to ask for it',
      ...(ahead === '0'
        ? {}
        : { 'wait in the broker': 'notifications go ahead and wait at the provider, up to a number' }),
    },
  })
