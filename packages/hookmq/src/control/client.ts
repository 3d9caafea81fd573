import { connect, type Socket } from 'node:net'
import { HookmqError, messageOf } from '../errors.ts'
import { controlSocket } from './path.ts'
import { type ControlAnswer, type ControlRequest, commandTimeout } from './protocol.ts'

export interface ControlResult {
  readonly exitCode: number
  readonly json?: unknown
}

/** Milliseconds until a broker that does not even take the connection counts as gone. */
const connectTimeout = 5000

/** There is nobody behind the socket. */
const unreachable = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ETIMEDOUT', 'ENOTSOCK'])

/**
 * Has the broker of a data folder run a command; `print` gets the lines as they come. Resolves to undefined when no broker answers there; rejects
 * with a HookmqError when this user may not ask it, or the answer is none.
 */
export async function askBroker(
  dataDir: string,
  request: ControlRequest,
  print: (lines: readonly string[]) => void,
): Promise<ControlResult | undefined> {
  let address: ReturnType<typeof controlSocket>
  try {
    address = controlSocket(dataDir)
  } catch (error) {
    if (isUnreachable((error as { cause?: unknown }).cause)) return undefined
    throw error
  }
  try {
    const socket = await open(address.address)
    return await exchange(socket, request, print)
  } catch (error) {
    if (isUnreachable(error)) return undefined
    if (error instanceof HookmqError) throw error
    const denied = (error as NodeJS.ErrnoException).code === 'EACCES'
    throw new HookmqError(
      'CONTROL_SOCKET',
      denied
        ? `${address.path}: no permission; only the user that the broker runs as (and root) may use it`
        : `${address.path}: ${messageOf(error)}`,
      { cause: error },
    )
  } finally {
    address.release()
  }
}

function isUnreachable(error: unknown): boolean {
  return unreachable.has((error as NodeJS.ErrnoException | undefined)?.code ?? '')
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, timeout: connectTimeout })
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
    socket.once('timeout', () => {
      socket.destroy()
      reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
    })
  })
}

async function exchange(
  socket: Socket,
  request: ControlRequest,
  print: (lines: readonly string[]) => void,
): Promise<ControlResult> {
  socket.removeAllListeners('timeout')
  socket.setTimeout(commandTimeout + connectTimeout, () =>
    socket.destroy(new HookmqError('CONTROL_SOCKET', 'the broker does not answer')),
  )
  socket.write(`${JSON.stringify(request)}\n`)
  let pieces: Buffer[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      pieces.push(chunk.subarray(from, end))
      from = end + 1
      const answer = JSON.parse(Buffer.concat(pieces).toString('utf8')) as ControlAnswer
      pieces = []
      if ('lines' in answer) print(answer.lines)
      else return answer
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from))
  }
  throw new HookmqError('CONTROL_SOCKET', 'the broker ended the connection without an answer')
}
