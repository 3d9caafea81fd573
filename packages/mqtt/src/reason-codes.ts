import type { PacketType } from './packets.ts'

/** The reason codes of MQTT 5 (specification 2.4). */
export const ReasonCode = {
  Success: 0x00,
  GrantedQoS1: 0x01,
  GrantedQoS2: 0x02,
  DisconnectWithWillMessage: 0x04,
  NoMatchingSubscribers: 0x10,
  NoSubscriptionExisted: 0x11,
  ContinueAuthentication: 0x18,
  ReAuthenticate: 0x19,
  UnspecifiedError: 0x80,
  MalformedPacket: 0x81,
  ProtocolError: 0x82,
  ImplementationSpecificError: 0x83,
  UnsupportedProtocolVersion: 0x84,
  ClientIdentifierNotValid: 0x85,
  BadUserNameOrPassword: 0x86,
  NotAuthorized: 0x87,
  ServerUnavailable: 0x88,
  ServerBusy: 0x89,
  Banned: 0x8a,
  ServerShuttingDown: 0x8b,
  BadAuthenticationMethod: 0x8c,
  KeepAliveTimeout: 0x8d,
  SessionTakenOver: 0x8e,
  TopicFilterInvalid: 0x8f,
  TopicNameInvalid: 0x90,
  PacketIdentifierInUse: 0x91,
  PacketIdentifierNotFound: 0x92,
  ReceiveMaximumExceeded: 0x93,
  TopicAliasInvalid: 0x94,
  PacketTooLarge: 0x95,
  MessageRateTooHigh: 0x96,
  QuotaExceeded: 0x97,
  AdministrativeAction: 0x98,
  PayloadFormatInvalid: 0x99,
  RetainNotSupported: 0x9a,
  QoSNotSupported: 0x9b,
  UseAnotherServer: 0x9c,
  ServerMoved: 0x9d,
  SharedSubscriptionsNotSupported: 0x9e,
  ConnectionRateExceeded: 0x9f,
  MaximumConnectTime: 0xa0,
  SubscriptionIdentifiersNotSupported: 0xa1,
  WildcardSubscriptionsNotSupported: 0xa2,
} as const

// The names that EMQX gives the codes: what hooks see as result code and as reason of a disconnect.
const names = new Map<number, string>([
  [0x00, 'success'],
  [0x01, 'granted_qos1'],
  [0x02, 'granted_qos2'],
  [0x04, 'disconnect_with_will_message'],
  [0x10, 'no_matching_subscribers'],
  [0x11, 'no_subscription_existed'],
  [0x18, 'continue_authentication'],
  [0x19, 're_authenticate'],
  [0x80, 'unspecified_error'],
  [0x81, 'malformed_packet'],
  [0x82, 'protocol_error'],
  [0x83, 'implementation_specific_error'],
  [0x84, 'unsupported_protocol_version'],
  [0x85, 'client_identifier_not_valid'],
  [0x86, 'bad_username_or_password'],
  [0x87, 'not_authorized'],
  [0x88, 'server_unavailable'],
  [0x89, 'server_busy'],
  [0x8a, 'banned'],
  [0x8b, 'server_shutting_down'],
  [0x8c, 'bad_authentication_method'],
  [0x8d, 'keepalive_timeout'],
  [0x8e, 'session_taken_over'],
  [0x8f, 'topic_filter_invalid'],
  [0x90, 'topic_name_invalid'],
  [0x91, 'packet_identifier_inuse'],
  [0x92, 'packet_identifier_not_found'],
  [0x93, 'receive_maximum_exceeded'],
  [0x94, 'topic_alias_invalid'],
  [0x95, 'packet_too_large'],
  [0x96, 'message_rate_too_high'],
  [0x97, 'quota_exceeded'],
  [0x98, 'administrative_action'],
  [0x99, 'payload_format_invalid'],
  [0x9a, 'retain_not_supported'],
  [0x9b, 'qos_not_supported'],
  [0x9c, 'use_another_server'],
  [0x9d, 'server_moved'],
  [0x9e, 'shared_subscriptions_not_supported'],
  [0x9f, 'connection_rate_exceeded'],
  [0xa0, 'maximum_connect_time'],
  [0xa1, 'subscription_identifiers_not_supported'],
  [0xa2, 'wildcard_subscriptions_not_supported'],
])

/** EMQX's name of a reason code, such as 'not_authorized'; 'unknown_error' for a number that is none. */
export function reasonCodeName(code: number): string {
  return names.get(code) ?? 'unknown_error'
}

/** The CONNACK return code (0 to 5) of MQTT 3.1 and 3.1.1 for a reason code of MQTT 5. */
export function connackReturnCode(reasonCode: number): number {
  if (reasonCode < 0x80) return 0
  switch (reasonCode) {
    case ReasonCode.UnspecifiedError:
    case ReasonCode.MalformedPacket:
    case ReasonCode.ProtocolError:
    case ReasonCode.ImplementationSpecificError:
    case ReasonCode.UnsupportedProtocolVersion:
      return 1
    case ReasonCode.ClientIdentifierNotValid:
      return 2
    case ReasonCode.BadUserNameOrPassword:
      return 4
    case ReasonCode.NotAuthorized:
    case ReasonCode.Banned:
    case ReasonCode.BadAuthenticationMethod:
      return 5
    default:
      return 3
  }
}

const fromReturnCode = [
  ReasonCode.Success,
  ReasonCode.UnsupportedProtocolVersion,
  ReasonCode.ClientIdentifierNotValid,
  ReasonCode.ServerUnavailable,
  ReasonCode.BadUserNameOrPassword,
  ReasonCode.NotAuthorized,
] as const

/** The MQTT 5 reason code for a CONNACK return code of 3.1 or 3.1.1; undefined for a number above 5. */
export function reasonCodeOfReturnCode(returnCode: number): number | undefined {
  return fromReturnCode[returnCode]
}

const everyAck = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
const release = [0x00, 0x92]

// Which codes each packet may carry. [MQTT-3.2.2-8] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]
// [MQTT-3.9.3-2] [MQTT-3.11.3-2] [MQTT-3.14.2-1] [MQTT-3.15.2-1]
const allowed: { readonly [T in PacketType]?: ReadonlySet<number> } = {
  connack: new Set([
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b,
    0x9c, 0x9d, 0x9f,
  ]),
  puback: new Set(everyAck),
  pubrec: new Set(everyAck),
  pubrel: new Set(release),
  pubcomp: new Set(release),
  suback: new Set([0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2]),
  unsuback: new Set([0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]),
  disconnect: new Set([
    0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
    0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ]),
  auth: new Set([0x00, 0x18, 0x19]),
}

/** Whether MQTT 5 lets this packet carry this reason code. */
export function isReasonCodeAllowed(packetType: PacketType, reasonCode: number): boolean {
  return allowed[packetType]?.has(reasonCode) ?? false
}

/**
 * The code itself when the packet may carry it, else the nearest that it may: for codes that come from a hook, because the
 * encoder refuses the others. An error stays an error (0x80; in PUBREL and PUBCOMP 0x92) and a success a success (0).
 */
export function fitReasonCode(packetType: PacketType, reasonCode: number): number {
  if (isReasonCodeAllowed(packetType, reasonCode)) return reasonCode
  if (reasonCode < 0x80) return ReasonCode.Success
  return packetType === 'pubrel' || packetType === 'pubcomp'
    ? ReasonCode.PacketIdentifierNotFound
    : ReasonCode.UnspecifiedError
}
