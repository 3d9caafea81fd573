import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type BrokerSettings, loadConfig } from '@hookmq/config'
import { type BrokerOptions, defaultOptions } from '@hookmq/core'

/** The program sets these itself. */
type Unset = 'version' | 'log'

/** Compiles only when every option of the core has a key, and every key is an option. */
const sameNames: { core: Exclude<keyof BrokerOptions, Unset>; config: keyof BrokerSettings } extends {
  core: keyof BrokerSettings
  config: Exclude<keyof BrokerOptions, Unset>
}
  ? true
  : never = true

it('the configuration without any setting is what the core does by itself', () => {
  assert.ok(sameNames)
  const { version: _version, log: _log, ...options } = defaultOptions
  assert.deepEqual(loadConfig({ text: '' }).options, options)
})
