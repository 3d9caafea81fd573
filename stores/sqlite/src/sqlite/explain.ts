import { StoreError, type StoreErrorCode } from '../errors.ts'

/** Primary result codes of SQLite, https://sqlite.org/rescode.html */
const code = {
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  TOOBIG: 18,
  NOTADB: 26,
} as const

const notWritable: readonly [StoreErrorCode, string] = [
  'STORE_READ_ONLY',
  'cannot be opened or written; check the owner and permissions of the file and its folder, or set node.data_dir',
]

const explanations: Readonly<Record<number, readonly [StoreErrorCode, string]>> = {
  [code.PERM]: notWritable,
  [code.READONLY]: notWritable,
  [code.CANTOPEN]: notWritable,
  [code.BUSY]: ['STORE_LOCKED', 'another program holds this database; end it and try again'],
  [code.LOCKED]: ['STORE_LOCKED', 'another program holds this database; end it and try again'],
  [code.IOERR]: ['STORE_IO', 'the disk failed to read or write; look at the log of the system'],
  [code.FULL]: ['STORE_DISK_FULL', 'the disk is full; make room, nothing needs to be started again'],
  [code.TOOBIG]: ['STORE_TOO_LARGE', 'a value is larger than the database takes'],
  [code.CORRUPT]: [
    'STORE_CORRUPT',
    'the database is damaged; look what is wrong with `hookmq store check`, and put a backup in its place or move the file away to begin anew',
  ],
  [code.NOTADB]: [
    'STORE_FOREIGN',
    'this is no database of HookMQ, or its beginning is damaged; put a backup in its place or move the file away to begin anew',
  ],
}

/** What SQLite threw, as a line for the person who runs the broker. */
export function explain(file: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const { errcode, message } = error as { errcode?: number; message?: string }
  const words = message ?? String(error)
  const [kind, advice] = explanations[(errcode ?? 0) & 0xff] ?? (['STORE_IO', 'the database failed'] as const)
  return new StoreError(kind, `${file}: ${advice} (${words})`, { cause: error })
}
