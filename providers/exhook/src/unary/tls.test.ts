import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { TestAuthority } from '@hookmq/api/testing'
import { readServer, type SettingTexts } from '../settings.ts'
import { silent, testIdentity } from '../testing/harness.ts'
import { RecordingProvider } from '../testing/recording-provider.ts'
import type { Script } from '../testing/script.ts'
import { UnaryProvider } from './provider.ts'

const authority = new TestAuthority()
process.on('exit', () => authority.remove())
const own = authority.issue('/CN=localhost')
const elsewhere = authority.issue('/CN=hooks.example.org', ['DNS:hooks.example.org'])
const client = authority.issue('/CN=broker')
const stranger = new TestAuthority('somebody else')
process.on('exit', () => stranger.remove())

const read = (path: string): string => readFileSync(path, 'utf8')

function tls(certificate: typeof own, withClients = false): NonNullable<Script['tls']> {
  return {
    cert: read(certificate.cert),
    key: read(certificate.key),
    ...(withClients ? { ca: read(authority.ca) } : {}),
  }
}

async function load(t: TestContext, given: Script['tls'], texts: SettingTexts = {}): Promise<readonly object[]> {
  const far = await RecordingProvider.start(t, { tls: given })
  const settings = readServer('one', { url: far.url, pool_size: '1', request_timeout: '5s', ...texts })
  const provider = new UnaryProvider({ settings, broker: testIdentity, log: silent })
  t.after(() => provider.unload())
  return provider.load()
}

const peer = { 'ssl.verify': 'verify_peer', 'ssl.cacertfile': authority.ca }

test('verify_none, the default: encrypted, whoever answers', async (t) => {
  assert.equal((await load(t, tls(elsewhere))).length, 19)
})

test('verify_peer: a certificate that is good for the host of the url', async (t) => {
  assert.equal((await load(t, tls(own), peer)).length, 19)
})

test('verify_peer: the authority as text instead of a file', async (t) => {
  assert.equal((await load(t, tls(own), { ...peer, 'ssl.cacertfile': read(authority.ca) })).length, 19)
})

test('verify_peer: not one of another authority, and not one of another name', async (t) => {
  await assert.rejects(
    load(t, tls(own), { ...peer, 'ssl.cacertfile': stranger.ca }),
    /^GrpcError: UNAVAILABLE: .*certificate/,
  )
  await assert.rejects(load(t, tls(elsewhere), peer), /UNAVAILABLE: .*(altnames|does not match)/)
})

test('server_name_indication: the name that is asked for; disable: none is checked', async (t) => {
  const name = 'ssl.server_name_indication'
  assert.equal((await load(t, tls(elsewhere), { ...peer, [name]: 'hooks.example.org' })).length, 19)
  assert.equal((await load(t, tls(elsewhere), { ...peer, [name]: 'disable' })).length, 19)
})

test('a client certificate where the server wants one, also with a password on its key', async (t) => {
  const files = { 'ssl.certfile': client.cert, 'ssl.keyfile': client.key }
  assert.equal((await load(t, tls(own, true), { ...peer, ...files })).length, 19)
  const encrypted = authority.encryptKey(client.key, 'open sesame')
  const locked = { ...files, 'ssl.keyfile': encrypted, 'ssl.password': 'open sesame' }
  assert.equal((await load(t, tls(own, true), { ...peer, ...locked })).length, 19)
  await assert.rejects(load(t, tls(own, true), peer), /UNAVAILABLE/)
})

test('versions of TLS', async (t) => {
  assert.equal((await load(t, tls(own), { ...peer, 'ssl.versions': 'tlsv1.2' })).length, 19)
})

test('what cannot be used is named with its key', async (t) => {
  await assert.rejects(load(t, tls(own), { 'ssl.cacertfile': 'no/such/file.pem' }), {
    message: 'exhook.server.one.ssl.cacertfile: no/such/file.pem: there is no such file',
  })
  await assert.rejects(
    load(t, tls(own), { 'ssl.certfile': own.key, 'ssl.keyfile': own.cert }),
    /^Error: exhook\.server\.one\.ssl: /,
  )
})

test('plain text where TLS is spoken fails, and so does TLS where plain text is', async (t) => {
  const secure = await RecordingProvider.start(t, { tls: tls(own) })
  const plain = await RecordingProvider.start(t)
  for (const url of [`http://127.0.0.1:${secure.port}`, `https://127.0.0.1:${plain.port}`]) {
    const settings = readServer('one', { url, pool_size: '1', request_timeout: '2s' })
    const provider = new UnaryProvider({ settings, broker: testIdentity, log: silent })
    await assert.rejects(provider.load(), /UNAVAILABLE/, url)
  }
})
