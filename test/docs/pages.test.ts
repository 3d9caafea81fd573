import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { blocksOf } from './blocks.ts'
import { Session } from './session.ts'

/** Pages whose every step is played as a reader would. */
const pages = [
  'ctl.md',
  'first-plugin.md',
  'hooks-py-from-emqx.md',
  'testing-plugins.md',
  'workers.md',
  'plugins/auth-clientid.md',
  'plugins/auth-username.md',
  'plugins/delayed.md',
  'plugins/presence.md',
  'plugins/recon.md',
  'plugins/reloader.md',
  'plugins/retainer.md',
  'plugins/rewrite.md',
  'plugins/subscription.md',
]

describe('what the documentation shows is what happens', () => {
  for (const page of pages) {
    test(page, { timeout: 200_000 }, async (t) => {
      const blocks = blocksOf(page)
      assert.ok(blocks.some(({ language }) => language === 'console'))
      await new Session(t).play(blocks)
    })
  }
})
