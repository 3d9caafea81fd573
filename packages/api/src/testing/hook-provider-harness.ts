import type { AuthorizeRequest, Credential } from '../client.ts'
import type { HookArgs, HookPointName, NotificationPointName } from '../hook-points.ts'
import type { MessageInit } from '../message.ts'
import type { HookProvider, HookProviderPolicy, HookSpec } from '../provider.ts'
import type { AuthenticateResult, AuthorizeResult } from '../verdict.ts'

/** What the far end does when it is called or told. Plain data, so that it can be sent to another process. */
export type ScriptedAnswer =
  | { readonly do: 'continue' }
  /** message.publish: replace the payload. */
  | { readonly do: 'payload'; readonly payload: string; readonly stop?: boolean }
  | { readonly do: 'drop' }
  | { readonly do: 'reject'; readonly code: number }
  | { readonly do: 'disconnect'; readonly code: number }
  /** client.authenticate and client.authorize: end the chain with this result. */
  | { readonly do: 'allow' | 'deny' }
  | { readonly do: 'throw' }
  /** Answers only when the test calls `release`, as 'continue'. */
  | { readonly do: 'hold' }

export interface ProviderScript {
  readonly hooks: readonly HookSpec[]
  /** Default 'continue'. */
  readonly answers?: { readonly [P in HookPointName]?: ScriptedAnswer }
  /** The far end refuses to load, with this text. */
  readonly refuseLoad?: string
}

/** Something that reached the far end. */
export interface Received {
  readonly point: HookPointName
  readonly clientId: string
  /** Topic of the message or subscription, where the point has one. */
  readonly topic?: string
}

export interface ProviderUnderTest {
  readonly provider: HookProvider
  /** All that has reached the far end so far, in the order of arrival. */
  received(): Promise<readonly Received[]>
  /** Lets all held calls answer, and those still to come. */
  release(): Promise<void>
  /** How often the far end was asked to load and to unload. */
  loads(): Promise<number>
  unloads(): Promise<number>
  /** Frees what the far end holds (sockets, processes). */
  dispose(): Promise<void>
}

/** What a case needs and a transport may not be able to say. */
export type ProviderCapability =
  | 'drop'
  | 'reject'
  | 'disconnect'
  | 'unknown hook names'
  | 'old hook names'
  | 'observe'
  | 'throw'
  /** Takes a client's next event, or its own end, while one before it is never answered. */
  | 'overtake'
  /** Notifications wait in the broker for those before them, not at the provider. */
  | 'wait in the broker'

export interface HookProviderHarness {
  readonly name: string
  create(script: ProviderScript): Promise<ProviderUnderTest>
  /** A host with its own chains. */
  host(): HookHost
  /** Capability to the reason why this transport does not have it. Its cases are skipped with that reason. */
  readonly lacks?: { readonly [C in ProviderCapability]?: string }
}

export interface AttachedToHost {
  readonly status: 'loading' | 'loaded' | 'failed' | 'detached'
  readonly error: unknown
  readonly counters: {
    readonly calls: number
    readonly failures: number
    readonly timeouts: number
    readonly queued: number
    readonly inFlight: number
    readonly dropped: number
  }
  reload(): Promise<boolean>
  detach(): Promise<void>
}

export interface Refused {
  readonly refused: 'drop' | 'reject' | 'disconnect'
  readonly reasonCode: number
}

/** The broker's side, as far as the suite needs it: chains with the policy layer around providers. */
export interface HookHost {
  attach(provider: HookProvider, policy?: HookProviderPolicy): Promise<AttachedToHost>
  /** Runs message.publish. The payload as text. */
  publish(message: MessageInit): Promise<{ readonly topic: string; readonly payload: string } | Refused>
  /** Runs client.authenticate from { result: 'ignore' }. */
  authenticate(client: Credential): Promise<AuthenticateResult | Refused>
  /** Runs client.authorize from allow by default. */
  authorize(request: AuthorizeRequest): Promise<AuthorizeResult | Refused>
  notify<P extends NotificationPointName>(point: P, args: HookArgs<P>): void
  /** true: all notifications have been handled within so many milliseconds. */
  idle(timeout: number): Promise<boolean>
}
