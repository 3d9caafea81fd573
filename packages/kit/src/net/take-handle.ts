import type { Socket } from 'node:net'

/**
 * Takes the connection out of a socket, which is closed without it: for another process. Nothing is read from it any more.
 * @returns undefined when the connection is gone
 */
export function takeHandle(socket: Socket): object | undefined {
  const internals = socket as unknown as { _handle: (object & { readStop?(): void; onread?: unknown }) | null }
  const handle = internals._handle
  if (handle === null || socket.destroyed) return undefined
  handle.readStop?.()
  handle.onread = () => {}
  internals._handle = null
  socket.destroy()
  return handle
}
