/** Payloads whose every byte says whose it is, so that memory that is used again too early is seen wherever it happens. */

/** Longest payload without its head. */
const longest = 200_000
const period = 251
const head = 12
const table = Buffer.from(Array.from({ length: longest + 2 * period }, (_, index) => index % period))

/** The first messages of each client leave in small frames, and some of middle size; then come all sizes at once. */
export const smallOnes = 120
export const each = 152

/** A little that shares a frame, much that needs its own, and more than a socket and HTTP/2 take at once. */
const sizes = [3, 700, 0, 40, 20_000, 90, 1, 66_000, 250, 5000, 17, 150_000, 60, 300, 2, 33_000]

function sizeOf(client: number, number: number): number {
  if (number >= smallOnes) return sizes[(client * 5 + number) % sizes.length]
  return client < 2 && number % 4 === client * 2 ? 24_000 : (client * 97 + number * 41) % 700
}

export function payloadOf(client: number, number: number): Buffer {
  return patterned(client, number, 0, sizeOf(client, number))
}

/** What the provider makes of it: of every second message; it leaves the others as they are. */
export function expectedOf(client: number, number: number): Buffer {
  return number % 2 === 0 ? patterned(client, number, 1, sizeOf(client, number)) : payloadOf(client, number)
}

export function patterned(client: number, number: number, shift: number, length: number): Buffer {
  const start = (client * 17 + number * 3 + shift) % period
  const payload = Buffer.allocUnsafeSlow(head + length)
  payload.writeUInt32BE(client, 0)
  payload.writeUInt32BE(number, 4)
  payload.writeUInt32BE(length, 8)
  table.copy(payload, head, start, start + length)
  return payload
}

/** What is wrong with a payload that came; undefined: nothing. */
export function problemOf(
  payload: Buffer,
  topic: string,
  expected: (client: number, number: number) => Buffer,
): string | undefined {
  if (payload.length < head) return `${topic}: ${payload.length} bytes`
  const client = payload.readUInt32BE(0)
  const number = payload.readUInt32BE(4)
  if (topic !== `bytes/${client}`) return `${topic}: a message of client ${client}`
  const right = expected(client, number)
  if (payload.equals(right)) return undefined
  let at = 0
  while (payload[at] === right[at]) at++
  return `${topic}: message ${number} of ${right.length} bytes has ${payload.length}, and is another from byte ${at} on`
}
