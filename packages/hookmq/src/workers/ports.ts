import { createServer, type Server } from 'node:net'
import type { ListenerSettings } from '@hookmq/config'
import { bindServer } from '@hookmq/kit'
import { HookmqError, messageOf } from '../errors.ts'
import { reusesPorts } from './reuse-port.ts'

export interface ReservedPorts {
  /** Settings that give listeners with port 0 the port that was found for them: 'listener.tcp.external=127.0.0.1:40123'. */
  readonly settings: readonly string[]
  /** Once the workers are bound. */
  release(): void
}

/**
 * Workers share their ports with whoever else of this user wants to, so it is looked first whether somebody is there already; and a port 0 must become
 * the same one for all of them. Rejects with a HookmqError.
 */
export async function reservePorts(listeners: readonly ListenerSettings[]): Promise<ReservedPorts> {
  const held: Server[] = []
  const settings: string[] = []
  const release = (): void => {
    for (const server of held.splice(0)) server.close()
  }
  try {
    for (const { id, kind, name, address } of listeners) {
      if ('path' in address) continue
      const server = createServer()
      const isFree = address.port === 0
      const bound = await bindServer(server, id, address, undefined, isFree && reusesPorts)
      if ('path' in bound) continue
      if (isFree) settings.push(`listener.${kind}.${name}=${textOf(bound.host)}:${bound.port}`)
      // Nobody knows of a free port yet: kept until the workers have it, so that no other program gets it.
      if (isFree && reusesPorts) held.push(server)
      else await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  } catch (error) {
    release()
    throw new HookmqError('LISTENER_FAILED', messageOf(error), { cause: error })
  }
  return { settings, release }
}

function textOf(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
