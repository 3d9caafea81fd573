import assert from 'node:assert/strict'

/**
 * The part of `actual` that `expected` speaks of: objects by their keys, arrays whole. `undefined` in `expected` asks for
 * a missing key. Bytes are shown as text, so that a payload can be given as a string.
 */
function project(actual: unknown, expected: unknown): unknown {
  if (actual instanceof Uint8Array) {
    return expected instanceof Uint8Array ? Buffer.from(actual).toString('hex') : Buffer.from(actual).toString()
  }
  if (Array.isArray(actual)) {
    return actual.map((item, index) => project(item, Array.isArray(expected) ? expected[index] : undefined))
  }
  if (typeof actual !== 'object' || actual === null || typeof expected !== 'object' || expected === null) return actual
  const picked: Record<string, unknown> = {}
  for (const key of Object.keys(expected)) {
    picked[key] = project((actual as Record<string, unknown>)[key], (expected as Record<string, unknown>)[key])
  }
  return picked
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

/** Asserts the keys that `expected` names and no others. */
export function assertMatches(actual: unknown, expected: unknown, message: string): void {
  try {
    assert.deepEqual(project(actual, expected), plain(expected))
  } catch (error) {
    if (error instanceof assert.AssertionError) error.message = `${message}\n${error.message}`
    throw error
  }
}
