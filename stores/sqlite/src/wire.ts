import type { Operation, Stored } from './operations.ts'

/**
 * A batch as it is posted to the thread: kind, table, space, key, argument, one operation behind the other. Copying objects with
 * named fields would cost the sender three times as much.
 */
export type Posted = readonly unknown[]

const kinds = ['get', 'put', 'delete', 'clear', 'scan'] as const
const width = 5

export function post(operations: readonly Operation[]): Posted {
  const posted: unknown[] = new Array(operations.length * width)
  let at = 0
  for (const operation of operations) {
    posted[at++] = kinds.indexOf(operation.kind)
    posted[at++] = operation.table
    posted[at++] = operation.space
    posted[at++] = operation.kind === 'clear' ? '' : operation.kind === 'scan' ? operation.from : operation.key
    posted[at++] = argumentOf(operation)
  }
  return posted
}

function argumentOf(operation: Operation): unknown {
  if (operation.kind === 'put') return ownBytes(operation.value)
  if (operation.kind === 'scan') return [operation.after, operation.before, operation.limit, operation.size]
  return undefined
}

/** Bytes are posted with the whole buffer that they lie in: a pool's would come along each time. */
function ownBytes(value: Stored): Stored {
  return typeof value === 'string' || value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value)
}

export function receive(posted: Posted): Operation[] {
  const operations: Operation[] = new Array(posted.length / width)
  for (let index = 0, at = 0; at < posted.length; index++, at += width) {
    const kind = kinds[posted[at] as number]
    const table = posted[at + 1] as string
    const space = posted[at + 2] as string
    const key = posted[at + 3] as string
    switch (kind) {
      case 'put':
        operations[index] = { kind, table, space, key, value: posted[at + 4] as Stored }
        break
      case 'clear':
        operations[index] = { kind, table, space }
        break
      case 'scan': {
        const [after, before, limit, size] = posted[at + 4] as [boolean, string | undefined, number, number]
        operations[index] = { kind, table, space, from: key, after, before, limit, size }
        break
      }
      default:
        operations[index] = { kind, table, space, key }
    }
  }
  return operations
}
