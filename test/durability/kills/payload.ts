/** The number of a message, and filling that depends on it: batches of many sizes, and a payload that is damaged shows. */
export function payloadOf(number: number): string {
  return `${number}:${filling(number)}`
}

/** undefined: nobody sent it like this. */
export function numberOf(payload: string | Buffer): number | undefined {
  const text = String(payload)
  const number = Number(text.slice(0, text.indexOf(':')))
  return text === payloadOf(number) ? number : undefined
}

function filling(number: number): string {
  const length = number % 50 === 49 ? 20_000 : (number * 31) % 97
  return String.fromCharCode(97 + (number % 26)).repeat(length)
}
