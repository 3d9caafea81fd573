import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { StatementSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import type { EngineInit } from './engine.ts'
import { serve } from './serve.ts'
import { SqliteEngine } from './sqlite/engine.ts'

/**
 * The thread does what `fault.json` in its folder says, and counts its transactions in `transactions`, one byte each:
 *
 *     { "at": 7, "statement": 2 }   the second statement of transaction 7 fails
 *     { "at": 7, "statement": 0 }   COMMIT of transaction 7 fails
 *     { "at": 7, "answer": true }   it is written, and said to have failed
 *     { "at": 7, "torn": 0.5 }      half of what it writes is on the disk, in the folder `torn`; then nothing more is heard
 *     { "slow": 20 }                each takes so many milliseconds longer
 */
interface Fault {
  readonly at?: number
  readonly statement?: number
  readonly answer?: boolean
  readonly torn?: number
  readonly slow?: number
}

const folder = dirname((workerData as EngineInit).file)
const plan = join(folder, 'fault.json')
const counter = join(folder, 'transactions')

let fault: Fault = {}
/** In a transaction that the fault is for. */
let hit = false
let statements = 0
let sizes = new Map<string, number>()

function stop(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

function failure(): Error {
  return Object.assign(new Error('disk I/O error'), { errcode: 10 })
}

function files(): Map<string, number> {
  const found = readdirSync(folder).filter((name) => name.startsWith('hookmq.db') && !name.endsWith('-shm'))
  return new Map(found.map((name) => [name, statSync(join(folder, name)).size]))
}

/** What a crash in the middle of writing leaves. */
function tear(part: number): never {
  const torn = join(folder, 'torn')
  mkdirSync(torn)
  for (const [name, size] of files()) {
    const before = sizes.get(name) ?? 0
    copyFileSync(join(folder, name), join(torn, name))
    if (size > before) truncateSync(join(torn, name), before + Math.floor((size - before) * part))
  }
  writeFileSync(join(torn, 'done'), '')
  for (;;) stop(1000)
}

function before(text: string): void {
  if (text.startsWith('BEGIN')) {
    appendFileSync(counter, '.')
    fault = existsSync(plan) ? (JSON.parse(readFileSync(plan, 'utf8')) as Fault) : {}
    hit = statSync(counter).size === fault.at
    statements = 0
    if (hit && fault.torn !== undefined) sizes = files()
    if (fault.slow !== undefined) stop(fault.slow)
    return
  }
  if (!hit || fault.statement === undefined) return
  if (text === 'COMMIT' ? fault.statement === 0 : ++statements === fault.statement) {
    hit = false
    throw failure()
  }
}

function after(text: string): void {
  if (!hit || text !== 'COMMIT') return
  hit = false
  if (fault.torn !== undefined) tear(fault.torn)
  if (fault.answer === true) throw failure()
}

for (const name of ['run', 'get', 'all', 'iterate'] as const) {
  const original = StatementSync.prototype[name] as (...args: unknown[]) => unknown
  Object.defineProperty(StatementSync.prototype, name, {
    value(this: StatementSync, ...args: unknown[]): unknown {
      before(this.sourceSQL)
      const result = original.apply(this, args)
      after(this.sourceSQL)
      return result
    },
  })
}

serve((init) => new SqliteEngine(init))
