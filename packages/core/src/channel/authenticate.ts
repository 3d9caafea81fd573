import type { AuthenticateResult, Credential } from '@hookmq/api'
import { type AuthPacket, type ConnectPacket, type Properties, ReasonCode } from '@hookmq/mqtt'
import { after } from '../after.ts'
import * as M from '../metrics/index.ts'
import { Refusal } from '../refusal.ts'
import type { Channel } from './channel.ts'
import { clientOf, finishConnect, refuseConnect, sendAuth, waitWhileConnecting } from './connect.ts'

/** An enhanced authentication that waits for the client's next AUTH. */
export interface Exchange {
  readonly credential: Credential
  readonly packet: ConnectPacket
  readonly connectProperties: Properties
}

export interface Authenticated {
  readonly credential: Credential
  readonly result: AuthenticateResult
}

/** Runs client.authenticate for one step. A Refusal says why the client is not let in. */
export function authenticate(
  channel: Channel,
  credential: Credential,
): Authenticated | Refusal | Promise<Authenticated | Refusal> {
  const { broker } = channel
  broker.metrics.counters[M.CLIENT_AUTHENTICATE]++
  if (broker.options.allowAnonymous === 'quick_deny' && credential.username === undefined) {
    return completed(
      channel,
      credential,
      new Refusal('reject', ReasonCode.NotAuthorized, 'core', 'a user name is required'),
    )
  }
  return after(
    broker.chains.clientAuthenticate.fold({ client: credential }, { result: 'ignore' }, channel.scope),
    (folded) => completed(channel, credential, judge(credential, folded)),
  )
}

function judge(credential: Credential, folded: AuthenticateResult | Refusal): Authenticated | Refusal {
  if (folded instanceof Refusal) return folded
  if (folded.result === 'deny') {
    return new Refusal(
      'reject',
      folded.reasonCode ?? ReasonCode.NotAuthorized,
      'client.authenticate',
      folded.reasonString,
      folded.serverReference,
    )
  }
  if (folded.result === 'ignore') return new Refusal('reject', ReasonCode.NotAuthorized, 'core')
  // Who asks for a method must be let in by somebody who speaks it. [MQTT-4.12.0-1]
  if (credential.authenticationMethod !== undefined && folded.result === 'allow' && folded.anonymous === true) {
    return new Refusal('reject', ReasonCode.BadAuthenticationMethod, 'core')
  }
  return { credential, result: folded }
}

function completed(
  channel: Channel,
  credential: Credential,
  outcome: Authenticated | Refusal,
): Authenticated | Refusal {
  const { broker } = channel
  const refused = outcome instanceof Refusal
  if (!refused && outcome.result.result === 'continue') return outcome
  const anonymous = !refused && outcome.result.result === 'allow' && outcome.result.anonymous === true
  const { counters } = broker.metrics
  if (refused) counters[M.CLIENT_AUTH_FAILURE]++
  else {
    counters[M.CLIENT_AUTH_SUCCESS]++
    if (anonymous) {
      counters[M.CLIENT_AUTH_ANONYMOUS]++
      counters[M.CLIENT_AUTH_SUCCESS_ANONYMOUS]++
    }
  }
  if (broker.chains.clientCheckAuthnComplete.size !== 0) {
    broker.chains.clientCheckAuthnComplete.notify({
      client: credential,
      reasonCode: refused ? outcome.reasonCode : ReasonCode.Success,
      anonymous,
    })
  }
  return outcome
}

/** AUTH from the client: the next step of a running exchange, or the start of a re-authentication. */
export function handleAuth(channel: Channel, packet: AuthPacket): void {
  const { broker } = channel
  broker.metrics.counters[M.PACKETS_AUTH_RECEIVED]++
  const { authenticationMethod: method, authenticationData: data } = packet.properties
  if (channel.version !== 5 || channel.authenticationMethod === undefined) {
    return channel.state === 'connected'
      ? channel.fail(ReasonCode.ProtocolError, 'AUTH without an authentication method in CONNECT') // [MQTT-4.12.0-6]
      : channel.abort()
  }
  if (method !== channel.authenticationMethod) {
    // [MQTT-4.12.0-5] [MQTT-4.12.1-1]
    const text = 'AUTH names another method than CONNECT'
    if (channel.state === 'connected') return channel.fail(ReasonCode.ProtocolError, text)
    refuseConnect(channel, new Refusal('reject', ReasonCode.ProtocolError, 'core', text))
    return
  }
  const exchange = broker.exchanges.get(channel)
  if (channel.state === 'authenticating' && exchange !== undefined) {
    if (packet.reasonCode !== ReasonCode.ContinueAuthentication) {
      refuseConnect(channel, new Refusal('reject', ReasonCode.ProtocolError, 'core', 'expected AUTH with reason 0x18'))
      return
    }
    channel.state = 'connecting'
    broker.exchanges.delete(channel)
    const credential: Credential = {
      ...exchange.credential,
      authenticationData: data,
      step: 'continue',
      state: channel.authenticationState,
    }
    // Over unless the next answer says that it goes on: a later AUTH 0x18 that nobody asked for finds nothing.
    channel.authenticationState = undefined
    const work = after(authenticate(channel, credential), (outcome) =>
      finishConnect(channel, exchange.packet, exchange.connectProperties, outcome),
    )
    return waitWhileConnecting(channel, work)
  }
  if (channel.state !== 'connected') return channel.abort()
  reauthenticate(channel, packet, data)
}

/** Re-authentication: the session goes on meanwhile; a failure ends the connection. [MQTT-4.12.1-2] */
function reauthenticate(channel: Channel, packet: AuthPacket, data: Uint8Array | undefined): void {
  const { client } = channel
  if (client === undefined) return
  const running = channel.authenticationState !== undefined
  if (packet.reasonCode !== (running ? ReasonCode.ContinueAuthentication : ReasonCode.ReAuthenticate)) {
    if (!(running && packet.reasonCode === ReasonCode.ReAuthenticate)) {
      return channel.fail(ReasonCode.ProtocolError, 'AUTH out of turn')
    }
  }
  const again = packet.reasonCode === ReasonCode.ReAuthenticate
  const credential: Credential = {
    ...client,
    authenticationMethod: channel.authenticationMethod,
    authenticationData: data,
    step: again ? 'reauthenticate' : 'continue',
    state: again ? undefined : channel.authenticationState,
  }
  const work = after(authenticate(channel, credential), (outcome) => {
    if (channel.state !== 'connected') return
    if (outcome instanceof Refusal)
      return channel.fail(outcome.reasonCode, outcome.reasonString, outcome.serverReference)
    const { result } = outcome
    if (result.result === 'continue') {
      channel.authenticationState = result.state ?? true
      return sendAuth(channel, ReasonCode.ContinueAuthentication, result.data)
    }
    if (result.result !== 'allow') return channel.fail(ReasonCode.NotAuthorized)
    channel.authenticationState = undefined
    channel.client = {
      ...clientOf(channel, credential, result),
      clientId: client.clientId,
      mountpoint: client.mountpoint,
    }
    if (channel.session !== undefined) channel.session.client = channel.client
    channel.forgetPermissions()
    sendAuth(channel, ReasonCode.Success, result.data)
  })
  if (work instanceof Promise) channel.inOrder().push(() => work)
}
