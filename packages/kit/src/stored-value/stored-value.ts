/** What every KeyValueStore does with keys and values, so that a plugin meets the same rules in each. */

/** @throws TypeError no text: half of a surrogate pair has no bytes, and two such keys would become one */
export function storableKey(key: string): string {
  if (typeof key !== 'string') throw new TypeError(`a key of the store is a string, not ${typeof key}`)
  if (!key.isWellFormed()) throw new TypeError(`the key ${JSON.stringify(key)} cannot be stored: it has half of a pair`)
  return key
}

/**
 * The value as JSON.
 * @throws TypeError names the key and says why it is no JSON
 */
export function storableValue(key: string, value: unknown): string {
  let text: string | undefined
  let reason = `JSON has no ${value === undefined ? 'undefined' : typeof value}`
  try {
    text = JSON.stringify(value)
  } catch (error) {
    reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  }
  if (text === undefined) throw new TypeError(`the value of '${key}' cannot be stored: it is not JSON (${reason})`)
  return text
}

/** Order of code points, which is that of the bytes of UTF-8; `<` compares halves of surrogate pairs. */
export function compareKeys(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) {
    const left = one.charCodeAt(index)
    const right = other.charCodeAt(index)
    if (left !== right) return rank(left) - rank(right)
  }
  return one.length - other.length
}

/** Surrogates stand for what comes after U+FFFF. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
