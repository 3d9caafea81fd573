import type { PluginConfigKey } from '@hookmq/api'
import { readHostAndPort, readPort } from '../values/address.ts'
import { readByteSize, readDuration, readFlag, readInteger, readPercent } from '../values/values.ts'

/** What a text of a plugin's key stands for: numbers, milliseconds and bytes; text for string, secret, enum and path. */
export type SettingValue = string | number | boolean | { readonly host: string; readonly port: number }

/** @returns undefined when the text is not of the key's type, or out of its range */
export function readSetting(definition: PluginConfigKey, text: string): SettingValue | undefined {
  switch (definition.type) {
    case 'string':
    case 'secret':
      return text
    case 'path':
      return text.includes('\0') ? undefined : text
    case 'enum':
      return definition.values?.includes(text) ? text : undefined
    case 'flag':
      return readFlag(text)
    case 'address':
      return readServerAddress(text)
    case 'term':
      return undefined
    default:
      return within(definition, readNumber(definition, text))
  }
}

/** Completes "expected …". */
export function expectedSetting(definition: PluginConfigKey): string {
  switch (definition.type) {
    case 'string':
    case 'secret':
      return 'text'
    case 'path':
      return 'a path'
    case 'enum': {
      const values = definition.values ?? []
      return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`
    }
    case 'flag':
      return 'on, off, true or false'
    case 'address':
      return 'a port, or host:port'
    case 'term':
      return 'an Erlang term'
    case 'integer':
      return `an integer${rangeText(definition)}`
    case 'number':
      return `a number${rangeText(definition)}`
    case 'percent':
      return 'a percentage such as 80%'
    case 'bytesize':
      return `bytes such as 512, 64KB or 1MB${rangeText(definition, ' bytes', ',')}`
    case 'duration': {
      const bare =
        definition.unit === undefined ? '' : `, or a number of ${definition.unit === 's' ? 'seconds' : 'milliseconds'}`
      return `a duration such as 30s or 1h30m${bare}${rangeText(definition, ' ms', ',')}`
    }
  }
}

function readNumber(definition: PluginConfigKey, text: string): number | undefined {
  switch (definition.type) {
    case 'integer':
      return readInteger(text)
    case 'number':
      return /^[+-]?(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : undefined
    case 'percent':
      return readPercent(text)
    case 'bytesize':
      return readByteSize(text)
    default:
      // A number without unit counts in the key's own unit; with units it is as exact as written, up to the millisecond.
      return definition.unit === 's' && /^\d+$/.test(text)
        ? readDuration(text, 1000, true)
        : readDuration(text, 1, definition.unit !== undefined)
  }
}

/** `3306`, `127.0.0.1:3306`, `[::1]:3306`, `db.example.org:3306`. A port alone is on this machine. */
function readServerAddress(text: string): { host: string; port: number } | undefined {
  const port = readPort(text)
  if (port !== undefined) return { host: '127.0.0.1', port }
  const numeric = readHostAndPort(text)
  if (numeric !== undefined) return { host: numeric.host, port: numeric.port }
  const named = /^([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?):(\d+)$/.exec(text)
  // What looks like an address and is none must not be looked up as a name.
  if (named === null || named[1].length > 253 || /^[\d.]+$/.test(named[1])) return undefined
  const namedPort = readPort(named[2])
  return namedPort === undefined ? undefined : { host: named[1], port: namedPort }
}

function within({ minimum, maximum }: PluginConfigKey, value: number | undefined): number | undefined {
  if (value === undefined || value < (minimum ?? -Infinity) || value > (maximum ?? Infinity)) return undefined
  return value
}

function rangeText({ minimum, maximum }: PluginConfigKey, unit = '', before = ''): string {
  if (minimum === undefined && maximum === undefined) return ''
  if (maximum === undefined) return `${before} from ${minimum}${unit}`
  return `${before} from ${minimum ?? 0} to ${maximum}${unit}`
}
