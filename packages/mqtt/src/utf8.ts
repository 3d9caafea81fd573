import { malformed } from './error.ts'

/**
 * Checks an MQTT string and says whether it is plain ASCII. U+0000, surrogates, overlong forms and code points above U+10FFFF
 * are malformed; U+FEFF is an ordinary character. Throws MqttError 0x81.
 * [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.3-1 v3.1.1] [MQTT-1.5.3-2 v3.1.1]
 */
export function checkUtf8(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = buffer[at]
    if (byte === 0) throw malformed('a string contains U+0000')
    if (byte > 0x7f) {
      checkMultiByte(buffer, at, end)
      return false
    }
  }
  return true
}

function checkMultiByte(buffer: Uint8Array, start: number, end: number): void {
  let at = start
  while (at < end) {
    const lead = buffer[at++]
    if (lead < 0x80) {
      if (lead === 0) throw malformed('a string contains U+0000')
      continue
    }
    // The range of the second byte shuts out overlong forms, surrogates and what lies above U+10FFFF.
    let more = 1
    let low = 0x80
    let high = 0xbf
    if (lead < 0xc2) throw malformed('a string is not valid UTF-8')
    if (lead >= 0xe0) {
      more = lead < 0xf0 ? 2 : 3
      if (lead === 0xe0) low = 0xa0
      else if (lead === 0xed) high = 0x9f
      else if (lead === 0xf0) low = 0x90
      else if (lead === 0xf4) high = 0x8f
      else if (lead > 0xf4) throw malformed('a string is not valid UTF-8')
    }
    if (at + more > end || buffer[at] < low || buffer[at] > high) throw malformed('a string is not valid UTF-8')
    for (let next = 1; next < more; next++) {
      if ((buffer[at + next] & 0xc0) !== 0x80) throw malformed('a string is not valid UTF-8')
    }
    at += more
  }
}

/** The string in buffer[start, end), checked as by `checkUtf8`. */
export function decodeString(buffer: Buffer, start: number, end: number): string {
  if (start === end) return ''
  return checkUtf8(buffer, start, end) ? buffer.toString('latin1', start, end) : buffer.toString('utf8', start, end)
}
