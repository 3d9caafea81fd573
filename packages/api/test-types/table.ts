// Entries of the hook point table that disagree with `HookPoints`. See src/hook-types.test.ts.
import { type HookPointEntry, type HookPointName, hookPointTable } from '@hookmq/api'

type Table = { readonly [P in HookPointName]: HookPointEntry<P> }

const { 'client.ping': ping, ...others } = hookPointTable
export const missing: Table = others // error
export const extra: Table = { ...others, 'client.ping': ping, 'client.pong': ping } // error
export const kind: HookPointEntry<'client.ping'> = { ...ping, kind: 'fold' } // error
export const argument: HookPointEntry<'client.ping'> = { ...ping, args: { client: '' } } // error
export const unknown: HookPointEntry<'client.ping'> = { ...ping, args: { client: '', connInfo: '', topic: '' } } // error
export const refusal: HookPointEntry<'client.ping'> = { ...ping, refusals: { drop: true } } // error
export const lost: HookPointEntry<'message.publish'> = { ...hookPointTable['message.publish'], refusals: {} } // error
export const phase: HookPointEntry<'client.ping'> = { ...ping, phases: ['mutate', 'sink'] } // error
