import assert from 'node:assert/strict'
import test from 'node:test'
import {
  connackReturnCode,
  fitReasonCode,
  isReasonCodeAllowed,
  ReasonCode,
  reasonCodeName,
  reasonCodeOfReturnCode,
} from './reason-codes.ts'

test('every reason code has a name of its own, other numbers have none', () => {
  const codes = new Set<number>(Object.values(ReasonCode))
  const names = new Set<string>()
  for (let code = 0; code < 256; code++) {
    const name = reasonCodeName(code)
    assert.equal(name !== 'unknown_error', codes.has(code), `code ${code}`)
    if (codes.has(code)) names.add(name)
  }
  assert.equal(names.size, codes.size)
  assert.equal(reasonCodeName(0x8d), 'keepalive_timeout')
  assert.equal(reasonCodeName(0x86), 'bad_username_or_password')
})

test('return codes of 3.1.1 for each code that a CONNACK may carry', () => {
  const expected: Record<number, number[]> = {
    0: [0x00],
    1: [0x80, 0x81, 0x82, 0x83, 0x84],
    2: [0x85],
    3: [0x88, 0x89, 0x8b, 0x90, 0x97, 0x9c, 0x9d, 0x9f],
    4: [0x86],
    5: [0x87, 0x8a, 0x8c],
  }
  for (const [returnCode, codes] of Object.entries(expected)) {
    for (const code of codes) assert.equal(connackReturnCode(code), Number(returnCode), `code ${code}`)
  }
})

test('return codes survive the way to a reason code and back', () => {
  for (let code = 0; code <= 5; code++) {
    const reasonCode = reasonCodeOfReturnCode(code)
    assert.ok(reasonCode !== undefined && isReasonCodeAllowed('connack', reasonCode))
    assert.equal(connackReturnCode(reasonCode), code)
  }
  assert.equal(reasonCodeOfReturnCode(6), undefined)
})

test('a code that does not fit a packet becomes one that does, of the same kind', () => {
  for (const type of [
    'connack',
    'puback',
    'pubrec',
    'pubrel',
    'pubcomp',
    'suback',
    'unsuback',
    'disconnect',
  ] as const) {
    for (let code = 0; code < 256; code++) {
      const fitted = fitReasonCode(type, code)
      assert.ok(isReasonCodeAllowed(type, fitted), `${type} ${code}`)
      assert.equal(fitted >= 0x80, code >= 0x80)
      if (isReasonCodeAllowed(type, code)) assert.equal(fitted, code)
    }
  }
})
