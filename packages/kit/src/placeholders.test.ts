import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { ClientInfo } from '@hookmq/api'
import { placeholder } from './placeholders.ts'

const client: ClientInfo = {
  clientId: 'device-1',
  username: 'ann',
  protocol: 'mqtt',
  protocolVersion: 5,
  listener: 'ssl:external',
  peerhost: '10.0.0.7',
  peerport: 50_000,
  sockport: 8883,
  mountpoint: 'tenant/',
  superuser: false,
  anonymous: false,
  bridge: false,
  cn: 'device',
  dn: 'CN=device,O=Acme',
  attributes: { clientid_alias: 'one', common_name_alias: 'two' },
}

it('gives each placeholder its value', () => {
  const expected = {
    '%u': 'ann',
    '%c': 'device-1',
    '%a': '10.0.0.7',
    '%r': 'mqtt',
    '%p': '8883',
    '%m': 'tenant/',
    '%C': 'device',
    '%d': 'CN=device,O=Acme',
    '%cida': 'one',
    '%cna': 'two',
  }
  for (const [text, value] of Object.entries(expected)) assert.equal(placeholder(text)?.(client), value, text)
})

it('has no value where the client has none', () => {
  const bare: ClientInfo = { ...client, username: undefined, cn: undefined, dn: undefined, attributes: {} }
  for (const text of ['%u', '%C', '%d', '%cida', '%cna']) assert.equal(placeholder(text)?.(bare), undefined, text)
})

it('takes nothing else for a placeholder', () => {
  for (const text of ['', '%', '%x', '%U', 'u', '%u%c', 'toString', '__proto__'])
    assert.equal(placeholder(text), undefined)
})
