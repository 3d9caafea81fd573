import { hookProviderSuite } from '@hookmq/api/testing'
import { createHookHost } from '@hookmq/core/testing'
import { underTest } from '../testing/harness.ts'

for (const version of ['v2', 'v3'] as const)
  hookProviderSuite({
    name: `ExHook ${version}, one call for each event`,
    create: (script) => underTest(script, version),
    host: createHookHost,
    lacks: {
      'old hook names': 'an ExHook server that names one unknown hook is not loaded, as in EMQX',
      observe: 'LoadedResponse has no way to ask for it',
    },
  })
