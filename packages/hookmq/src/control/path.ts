import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { HookmqError, messageOf } from '../errors.ts'

/** Bytes that the system takes for the path of a Unix socket, without the final 0. */
export const maxSocketPath = process.platform === 'linux' ? 107 : 103

export interface SocketAddress {
  /** What to bind or connect to. */
  readonly address: string
  /** What people know it by. */
  readonly path: string
  /** Call when the address is no longer used. */
  release(): void
}

/**
 * The control socket of a data folder. A path that is too long for a socket is reached through a descriptor of its folder where the system has
 * /proc; elsewhere this throws a HookmqError that says how long it may be.
 */
export function controlSocket(dataDir: string): SocketAddress {
  const path = join(dataDir, 'hookmq.sock')
  const length = Buffer.byteLength(path)
  if (length <= maxSocketPath) return { address: path, path, release: () => {} }
  if (process.platform !== 'linux')
    throw new HookmqError(
      'CONTROL_SOCKET',
      `${path}: the path of the control socket has ${length} bytes, the system takes ${maxSocketPath}; choose a shorter node.data_dir`,
    )
  let folder: number
  try {
    folder = openSync(dataDir, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    throw new HookmqError('CONTROL_SOCKET', `${dataDir}: cannot be opened: ${messageOf(error)}`, { cause: error })
  }
  return { address: `/proc/self/fd/${folder}/hookmq.sock`, path, release: () => closeSync(folder) }
}
