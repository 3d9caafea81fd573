import assert from 'node:assert/strict'
import { createHash, getHashes, pbkdf2Sync } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { makeSecret, parsePasswordScheme, readSecret, sameSecret, secretKinds, verifySecret } from './index.ts'

const bytes = (text: string): Buffer => Buffer.from(text)
const verify = (scheme: string, password: string, stored: string, salt?: string) =>
  parsePasswordScheme(scheme).verify(bytes(password), stored, salt)
const hex = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex')

/** From the documents of EMQ, of RFC 6070 / RFC 7914, of the bcrypt of OpenBSD, or one line of `openssl dgst`. */
const vectors: readonly [scheme: string, password: string, stored: string, salt?: string][] = [
  ['plain', 'public', 'public'],
  ['md5', 'public', '4c9184f37cff01bcdc32dc486ec36961'],
  ['sha256', 'public', 'efa1f375d76194fa51a3556a97e641e61685f914d446979da50a551a4333ffd7'],
  ['sha', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  [
    'sha512',
    'abc',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ],
  // The digest of 'abc' again, cut into salt and password.
  ['salt,md5', 'bc', '900150983cd24fb0d6963f7d28e17f72', 'a'],
  ['md5,salt', 'ab', '900150983cd24fb0d6963f7d28e17f72', 'c'],
  ['salt,sha', 'bc', 'a9993e364706816aba3e25717850c26c9cd0d89d', 'a'],
  ['sha,salt', 'ab', 'a9993e364706816aba3e25717850c26c9cd0d89d', 'c'],
  ['salt,sha256', 'bc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'a'],
  ['sha256,salt', 'ab', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'c'],
  ['pbkdf2,sha,1,20', 'password', '0c60c80f961f0e71f3a9b524af6012062fe037a6', 'salt'],
  ['pbkdf2,sha,4096,20', 'password', '4b007901b765489abead49d926f721d065a429c1', 'salt'],
  ['pbkdf2,sha,4096,16', 'pass\0word', '56fa6aa75548099dcc37d7f03425e0c3', 'sa\0lt'],
  [
    'pbkdf2,sha256,1,64',
    'passwd',
    '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc' +
      '49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
    'salt',
  ],
  ['bcrypt', 'abc', '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i'],
  [
    'salt,bcrypt',
    'abc',
    '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i',
    '$2a$06$If6bvum7DFjUnE9p2uDeDu',
  ],
  [
    'bcrypt,salt',
    'abc',
    '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i',
    '$2a$06$If6bvum7DFjUnE9p2uDeDu',
  ],
  [
    'scrypt',
    'pleaseletmein',
    `$scrypt$ln=14,r=8,p=1$${Buffer.from('SodiumChloride').toString('base64').replace(/=+$/, '')}$${Buffer.from(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
        'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
      'hex',
    )
      .toString('base64')
      .replace(/=+$/, '')}`,
  ],
]

describe('password schemes', () => {
  for (const [scheme, password, stored, salt] of vectors) {
    it(`${scheme}: the right password and no other`, async () => {
      assert.equal(await verify(scheme, password, stored, salt), true)
      assert.equal(await verify(scheme, `${password}x`, stored, salt), false)
      assert.equal(await verify(scheme, '', stored, salt), false)
      assert.equal(await verify(scheme, password, '', salt), false)
    })
  }

  it('takes blanks or commas between the words, and blanks around them', async () => {
    for (const text of ['salt,sha256', 'salt sha256', ' salt , sha256 ', 'salt  sha256']) {
      assert.equal(parsePasswordScheme(text).name, 'salt,sha256')
    }
    assert.equal(parsePasswordScheme('pbkdf2 sha256 1000 20').name, 'pbkdf2,sha256,1000,20')
  })

  it('pbkdf2,sha256,1000,20 makes 40 hexadecimal digits, whatever their case', async () => {
    const key = pbkdf2Sync('p', 's', 1000, 20, 'sha256').toString('hex')
    assert.equal(key.length, 40)
    assert.equal(await verify('pbkdf2,sha256,1000,20', 'p', key.toUpperCase(), 's'), true)
  })

  it('every MAC of EMQ that this OpenSSL has', async () => {
    for (const [mac, name] of Object.entries({
      md5: 'md5',
      ripemd160: 'ripemd160',
      sha: 'sha1',
      sha224: 'sha224',
      sha384: 'sha384',
      sha512: 'sha512',
    })) {
      if (!getHashes().includes(name)) continue
      const key = pbkdf2Sync('p', 's', 10, 20, name).toString('hex')
      assert.equal(await verify(`pbkdf2,${mac},10,20`, 'p', key, 's'), true, mac)
    }
  })

  it('hexadecimal in either case; clear text and bcrypt as they are', async () => {
    assert.equal(await verify('sha256', 'a', hex('sha256', 'a').toUpperCase()), true)
    assert.equal(await verify('plain', 'public', 'PUBLIC'), false)
  })

  it('bcrypt texts of every prefix, with the salt in another prefix too', async () => {
    const rest = '$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i'
    for (const prefix of ['$2a', '$2b', '$2y']) {
      assert.equal(await verify('bcrypt', 'abc', prefix + rest), true, prefix)
      assert.equal(await verify('salt,bcrypt', 'abc', prefix + rest, '$2b$06$If6bvum7DFjUnE9p2uDeDu'), true, prefix)
    }
    assert.equal(await verify('salt,bcrypt', 'abc', `$2a${rest}`, '$2a$06$If6bvum7DFjUnE9p2uDeDv'), false)
  })

  it('a bcrypt or scrypt text that is none, or asks for absurd work, is simply wrong', async () => {
    for (const text of ['', 'abc', '$2a$06$short', '$2a$31$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i'])
      assert.equal(await verify('bcrypt', 'abc', text), false, text)
    for (const text of [
      '',
      '$scrypt$',
      '$scrypt$ln=30,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAA',
      '$scrypt$ln=14,r=99,p=1$AAAA$AAAAAAAAAAAAAAAAAAAA',
    ])
      assert.equal(await verify('scrypt', 'abc', text), false, text)
  })

  it('a salt that is missing or too much is an error, which refuses', async () => {
    await assert.rejects(async () => verify('salt,sha256', 'a', hex('sha256', 'a')), /salt,sha256 needs a salt/)
    await assert.rejects(async () => verify('pbkdf2,sha,1,20', 'a', ''), /needs a salt/)
    await assert.rejects(async () => verify('salt,bcrypt', 'a', ''), /needs a salt/)
    for (const scheme of ['plain', 'md5', 'bcrypt', 'scrypt'])
      await assert.rejects(async () => verify(scheme, 'a', '', 's'), /uses no salt/, scheme)
  })

  it('what it does not know is refused in words, and never taken for clear text', () => {
    for (const text of [
      '',
      'sha3',
      'salt',
      'salt,plain',
      'sha256,salt,sha256',
      'salt,scrypt',
      'pbkdf2',
      'pbkdf2,sha256',
      'constructor',
      'salt,constructor',
    ])
      assert.throws(() => parsePasswordScheme(text), { name: 'TypeError', message: /expected plain, md5/ }, text)
    assert.throws(() => parsePasswordScheme('pbkdf2,sha3,1,1'), /'sha3' is none of md4, md5/)
    assert.throws(() => parsePasswordScheme('pbkdf2,sha,0,20'), /iterations '0': expected a number from 1/)
    assert.throws(() => parsePasswordScheme('pbkdf2,sha,1e3,20'), /iterations '1e3'/)
    assert.throws(() => parsePasswordScheme('pbkdf2,sha,1,9999'), /length '9999'/)
  })
})

describe('stored secrets', () => {
  it('are made and verified in every kind, and come through JSON', async () => {
    for (const kind of secretKinds) {
      const made = await makeSecret(bytes('pässword'), kind)
      const secret = readSecret(JSON.parse(JSON.stringify(made)))
      assert.ok(secret)
      assert.equal(await verifySecret(bytes('pässword'), secret), true, kind)
      assert.equal(await verifySecret(bytes('password'), secret), false, kind)
      if (kind === 'plain') continue
      assert.doesNotMatch(JSON.stringify(made), /ssword/)
      assert.notDeepEqual(await makeSecret(bytes('pässword'), kind), made, `${kind}: equal passwords must not show`)
    }
  })

  it('scrypt unless asked otherwise; bcrypt says that it cannot take a long password', async () => {
    assert.equal((await makeSecret(bytes('p'))).scheme, 'scrypt')
    await assert.rejects(makeSecret(Buffer.alloc(73, 'a'), 'bcrypt'), /72 bytes/)
  })

  it('what is no secret is not read as one', () => {
    for (const value of [
      undefined,
      null,
      'x',
      3,
      {},
      { scheme: 'md5' },
      { scheme: 'md5', hash: 3 },
      { scheme: 'md5', hash: '', salt: 1 },
    ])
      assert.equal(readSecret(value), undefined)
  })

  it('the same secret and no other', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        assert.equal(sameSecret(a, b), Buffer.compare(a, b) === 0)
        assert.equal(sameSecret(a, Uint8Array.from(a)), true)
      }),
    )
  })
})
