import type {
  AuthenticateResult,
  AuthorizeResult,
  ClientInfo,
  ConnInfo,
  Credential,
  Message,
  SessionInfo,
} from '@hookmq/api'
import { BrokerMessage } from '@hookmq/core'
import { exhookCallOf, fromJson, type JsonValue, propertyNames, v3 } from '@hookmq/provider-exhook/client'
import type { RecordedEvent } from '../record/format.ts'
import { filled } from '../record/request-fields.ts'

/** An event as hooks inside of the broker see it. What the request does not say has the value that it usually has. */
export interface Rebuilt {
  readonly args: object
  /** What the chain folds over; undefined on notification points. */
  readonly accumulator: unknown
}

interface Properties {
  readonly props?: readonly v3.Property[]
  readonly userProps?: readonly v3.Property[]
}

/** Every field that a request of ExHook has, in one type: which of them are there depends on the hook. */
type AnyRequest = Properties & {
  readonly conninfo?: v3.ConnInfo
  readonly clientinfo?: v3.ClientInfo
  readonly message?: v3.Message
  readonly resultCode?: string
  readonly reason?: string
  readonly result?: boolean
  readonly type?: v3.ClientAuthorizeRequest_AuthorizeReqType
  readonly topic?: string
  readonly subopts?: v3.SubOpts
  readonly topicFilters?: readonly v3.TopicFilter[]
}

export function rebuild({ hook, request, masked }: RecordedEvent): Rebuilt {
  const schema = exhookCallOf(hook)?.v3.request
  if (schema === undefined) throw new Error(`there is no hook ${hook}`)
  const fields = fromJson(schema, filled(request, masked) as JsonValue, {
    ignoreUnknownFields: true,
  }) as unknown as AnyRequest
  const client = clientOf(fields)
  const session = sessionOf(client)
  const connInfo = connInfoOf(fields, client)
  switch (hook) {
    case 'client.connect':
      return { args: { connInfo }, accumulator: propertiesOf(fields) }
    case 'client.connack':
      return {
        args: { connInfo, reasonCode: fields.resultCode === 'success' ? 0 : 0x87, reason: fields.resultCode },
        accumulator: propertiesOf(fields),
      }
    case 'client.connected':
      return told({ client, connInfo })
    case 'client.disconnected':
      return told({ client, connInfo, reason: fields.reason })
    case 'client.authenticate': {
      const { password = '' } = fields.clientinfo ?? {}
      const credential: Credential = {
        ...client,
        step: 'connect',
        ...(password === '' ? {} : { password: Buffer.from(password) }),
      }
      const start: AuthenticateResult =
        fields.result === true ? { result: 'allow', anonymous: true } : { result: 'deny', reasonCode: 0x87 }
      return { args: { client: credential }, accumulator: start }
    }
    case 'client.authorize': {
      const action = fields.type === v3.ClientAuthorizeRequest_AuthorizeReqType.SUBSCRIBE ? 'subscribe' : 'publish'
      const start: AuthorizeResult = { result: fields.result === true ? 'allow' : 'deny', from: 'default' }
      return { args: { client, action, topic: fields.topic, qos: 0, retain: false }, accumulator: start }
    }
    case 'client.subscribe':
    case 'client.unsubscribe':
      return {
        args: { client, properties: propertiesOf(fields) },
        accumulator: (fields.topicFilters ?? []).map(({ name, subopts }) => ({
          filter: name,
          options: optionsOf(subopts),
        })),
      }
    case 'session.subscribed':
      return told({ client, topic: fields.topic, options: optionsOf(fields.subopts), isNew: true })
    case 'session.unsubscribed':
      return told({ client, topic: fields.topic, options: optionsOf(undefined) })
    case 'session.terminated':
      return told({ client, session, reason: (fields.reason ?? '').replace(/^\{shutdown,(.*)\}$/, '$1') })
    case 'message.publish':
      return { args: { client: publisherOf(fields.message) }, accumulator: messageOf(fields) }
    case 'message.delivered':
      return { args: { client }, accumulator: messageOf(fields) }
    case 'message.dropped':
      return told({ message: messageOf(fields), reason: fields.reason })
    case 'message.acked':
      return told({ client, message: messageOf(fields), properties: {} })
    default:
      return told({ client, session })
  }
}

function told(args: object): Rebuilt {
  return { args, accumulator: undefined }
}

function clientOf({ clientinfo, conninfo }: AnyRequest): ClientInfo {
  const known = clientinfo ?? conninfo
  return {
    clientId: known?.clientid ?? '',
    ...text('username', known?.username),
    protocol: clientinfo?.protocol || 'mqtt',
    protocolVersion: versionOf(conninfo?.protoVer),
    listener: 'tcp:external',
    peerhost: known?.peerhost ?? '',
    peerport: known?.peerport ?? 0,
    sockport: known?.sockport ?? 0,
    mountpoint: clientinfo?.mountpoint ?? '',
    superuser: clientinfo?.isSuperuser ?? false,
    anonymous: false,
    bridge: false,
    ...text('cn', clientinfo?.cn),
    ...text('dn', clientinfo?.dn),
    attributes: {},
  }
}

/** What a message says of whom it is from. Messages of the broker are from nobody. */
function publisherOf(message: v3.Message | undefined): ClientInfo | undefined {
  if (message?.headers.protocol === undefined) return undefined
  const { from, headers } = message
  const client = clientOf({})
  return {
    ...client,
    clientId: from,
    ...text('username', headers.username),
    protocol: headers.protocol,
    peerhost: headers.peerhost ?? '',
  }
}

function text<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return (value === undefined || value === '' ? {} : { [key]: value }) as { readonly [P in K]?: string }
}

function versionOf(text: string | undefined): ConnInfo['protocolVersion'] {
  return text === '3' ? 3 : text === '4' ? 4 : 5
}

function connInfoOf({ conninfo, ...fields }: AnyRequest, client: ClientInfo): ConnInfo {
  const properties = propertiesOf(fields)
  return {
    socketType: 'tcp',
    listener: client.listener,
    peerhost: client.peerhost,
    peerport: client.peerport,
    sockhost: '',
    sockport: client.sockport,
    protocolName: conninfo?.protoName ?? 'MQTT',
    protocolVersion: client.protocolVersion,
    cleanStart: true,
    clientId: client.clientId,
    ...text('username', client.username),
    keepAlive: conninfo?.keepalive ?? 60,
    properties,
    sessionExpiryInterval: Number(properties.sessionExpiryInterval ?? 0),
    receiveMaximum: Number(properties.receiveMaximum ?? 65_535),
    connectedAt: 0,
  }
}

function sessionOf({ clientId }: ClientInfo): SessionInfo {
  return {
    clientId,
    createdAt: 0,
    persistent: false,
    expiryInterval: 0,
    subscriptions: new Map(),
    inflight: 0,
    queued: 0,
    awaitingRel: 0,
  }
}

function optionsOf(options: v3.SubOpts | undefined): SubscriptionOptions {
  return {
    qos: levelOf(options?.qos),
    noLocal: options?.nl === 1,
    retainAsPublished: options?.rap === 1,
    retainHandling: levelOf(options?.rh),
  }
}

interface SubscriptionOptions {
  readonly qos: 0 | 1 | 2
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
}

function levelOf(value: number | undefined): 0 | 1 | 2 {
  return value === 1 || value === 2 ? value : 0
}

function messageOf({ message, ...fields }: AnyRequest): Message {
  const { username, protocol, peerhost, allow_publish: allow } = message?.headers ?? {}
  return new BrokerMessage(
    message?.topic ?? '',
    bufferOf(message?.payload),
    levelOf(message?.qos),
    false,
    false,
    message?.from ?? '',
    Number(message?.timestamp ?? 0),
    propertiesOf(fields),
    {
      ...text('username', username),
      ...text('protocol', protocol),
      ...text('peerhost', peerhost),
      ...(allow === undefined ? {} : { allowPublish: allow === 'true' }),
    },
    message?.id,
  )
}

/** As the broker has payloads: hooks may count on it. */
function bufferOf(payload: Uint8Array = new Uint8Array()): Buffer {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length)
}

const bytes = new Set(['Correlation-Data', 'Authentication-Data'])
const texts = new Set([
  'Content-Type',
  'Response-Topic',
  'Assigned-Client-Identifier',
  'Authentication-Method',
  'Response-Information',
  'Server-Reference',
  'Reason-String',
])
const keys = new Map(Object.entries(propertyNames).map(([key, name]) => [name, key]))

function propertiesOf({ props = [], userProps = [] }: Properties): Message['properties'] {
  const properties: Record<string, unknown> = {}
  for (const { name, value } of props) {
    const key = keys.get(name)
    if (key === undefined) continue
    if (name === 'Subscription-Identifier') properties[key] = value.split(',').map(Number)
    else properties[key] = bytes.has(name) ? Buffer.from(value) : texts.has(name) ? value : Number(value)
  }
  if (userProps.length > 0) properties.userProperties = userProps.map(({ name, value }) => [name, value])
  return properties as Message['properties']
}
