import type { Listener } from '@hookmq/api'
import { createTcpListener, type TcpListenerOptions } from '@hookmq/listener-tcp'
import { createTlsListener, type TlsListenerOptions } from '@hookmq/listener-tls'
import { createWsListener, type WsListenerOptions } from '@hookmq/listener-ws'
import { HookmqError, messageOf } from '../errors.ts'

/** Where a listener binds. Default: 127.0.0.1, a free port. */
interface Place {
  readonly host?: string
  /** 0 = a free one. */
  readonly port?: number
}

/** A listener to make: its type, where it binds, and the options of the listener part of that type. */
export type ListenerSpec =
  | (Place & { readonly type: 'tcp' } & Omit<TcpListenerOptions, 'address'>)
  | ({ readonly type: 'unix'; readonly path: string; readonly mode?: number } & Omit<TcpListenerOptions, 'address'>)
  | (Place & { readonly type: 'tls' } & Omit<TlsListenerOptions, 'address'>)
  | (Place & { readonly type: 'ws' } & Omit<WsListenerOptions, 'address' | 'tls'>)
  | (Place & { readonly type: 'wss' } & Omit<WsListenerOptions, 'address'> & Required<Pick<WsListenerOptions, 'tls'>>)

function isListener(value: ListenerSpec | Listener): value is Listener {
  return typeof (value as Partial<Listener>).start === 'function'
}

/** Makes the listener; nothing is bound yet. Throws a HookmqError for a spec that is none. */
export function makeListener(spec: ListenerSpec | Listener): Listener {
  if (isListener(spec)) return spec
  try {
    return create(spec)
  } catch (error) {
    throw new HookmqError('LISTENER_FAILED', messageOf(error), { cause: error })
  }
}

function create(spec: ListenerSpec): Listener {
  switch (spec.type) {
    case 'tcp':
      return createTcpListener({ ...spec, address: placeOf(spec) })
    case 'unix': {
      const { path, mode, ...rest } = spec
      return createTcpListener({ ...rest, address: { path, mode } })
    }
    case 'tls':
      return createTlsListener({ ...spec, address: placeOf(spec) })
    case 'ws':
    case 'wss':
      return createWsListener({ ...spec, address: placeOf(spec) })
    default:
      throw new Error(
        `there is no listener type '${String((spec as { type: unknown }).type)}'; expected tcp, tls, ws, wss or unix`,
      )
  }
}

function placeOf({ host = '127.0.0.1', port = 0 }: Place): { host: string; port: number } {
  return { host, port }
}

/** The address as far as it is known before binding: a host, a path, or whatever a listener says of itself. */
export function listenerHost(listener: ListenerSpec | Listener): string {
  if (!isListener(listener)) return listener.type === 'unix' ? listener.path : (listener.host ?? '127.0.0.1')
  const { address } = listener
  const port = /:\d+$/.exec(address)
  return port === null ? address : address.slice(0, port.index).replace(/^\[(.*)\]$/, '$1')
}
