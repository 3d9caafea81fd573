import type { ProtocolVersion, QoS } from '@hookmq/mqtt'
import { type Command, InvalidArgumentError, Option } from 'commander'

/** What `hookmq pub` and `hookmq sub` have in common, as commander gives it. */
export interface ClientFlags {
  host?: string
  port?: number
  url?: string
  id?: string
  protocolVersion: ProtocolVersion
  username?: string
  password?: string
  cafile?: string
  cert?: string
  key?: string
  insecure?: boolean
  tls?: boolean
  keepalive: number
  /** false: take up an earlier session. */
  clean: boolean
  sessionExpiry?: number
  userProperty: [string, string][]
  qos: QoS
  willTopic?: string
  willPayload?: string
  willQos?: QoS
  willRetain?: boolean
}

export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}.`)
    return value
  }
}

export function seconds(text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('expected a number of seconds.')
  return value
}

function quality(text: string): QoS {
  const value = integer(0, 2)(text)
  return value === 0 || value === 1 ? value : 2
}

const versions: Record<string, ProtocolVersion> = {
  '3.1': 3,
  31: 3,
  mqttv31: 3,
  '3.1.1': 4,
  311: 4,
  mqttv311: 4,
  5: 5,
  '5.0': 5,
  mqttv5: 5,
}

function version(text: string): ProtocolVersion {
  const value = versions[text]
  if (value === undefined) throw new InvalidArgumentError('expected 3.1, 3.1.1 or 5.')
  return value
}

export function userProperty(text: string, before: [string, string][]): [string, string][] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('expected name=value.')
  return [...before, [text.slice(0, at), text.slice(at + 1)]]
}

/** Adds the options that say where and as whom to connect. */
export function addClientOptions(command: Command): Command {
  return command
    .helpOption('--help', 'show this help')
    .option('-h, --host <host>', 'host of the broker (default: 127.0.0.1)')
    .option('-p, --port <port>', 'port (default: 1883, with TLS 8883)', integer(1, 65_535))
    .option('--url <url>', 'mqtt://, mqtts://, ws://, wss:// or unix:// instead of -h and -p; may carry user:password@')
    .option('-i, --id <client id>', 'client id (default: the broker assigns one)')
    .addOption(new Option('-V, --protocol-version <version>', '3.1, 3.1.1 or 5').argParser(version).default(5, '5'))
    .option('-u, --username <name>', 'user name')
    .option('-P, --password <password>', 'password')
    .option('-k, --keepalive <seconds>', 'keep alive, 0 = off', integer(0, 65_535), 60)
    .option('-c, --no-clean', 'take up an earlier session, and keep it afterwards')
    .option('-x, --session-expiry <seconds>', 'with MQTT 5: how long the session is kept', integer(0, 0xffffffff))
    .option('--tls', 'TLS, checked against the authorities that this system trusts')
    .option('--cafile <file>', 'TLS, checked against this authority (PEM)')
    .option('--cert <file>', "the client's certificate (PEM)")
    .option('--key <file>', "the client's private key (PEM)")
    .option('--insecure', "TLS without checking the broker's certificate")
    .option('--will-topic <topic>', 'the will: published by the broker when this client vanishes')
    .option('--will-payload <text>', 'payload of the will')
    .option('--will-qos <qos>', 'QoS of the will', quality)
    .option('--will-retain', 'retain the will')
    .addOption(new Option('-q, --qos <qos>', 'quality of service: 0, 1 or 2').argParser(quality).default(0))
}
