// What a message.publish chain costs per run. `node packages/core/bench/hooks.bench.ts`
import type { Logger } from '@hookmq/api'
import { type Chain, HookEngine } from '../src/hooks/index.ts'
import { BrokerMessage } from '../src/message.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
const message = BrokerMessage.from({ topic: 'sensors/1/temperature', payload: Buffer.alloc(16) }, Date.now())
const args = {}
const rounds = 5

function chainWith(count: number, handler: () => (message: BrokerMessage) => unknown): Chain<'message.publish'> {
  const engine = new HookEngine({ log: silent, timeout: 5000, queueLimit: 1000, queueDrop: 'oldest' })
  for (let index = 0; index < count; index++) {
    const run = handler()
    engine.add('message.publish', (_args, accumulator) => run(accumulator as BrokerMessage) as undefined, {
      owner: 'bench',
      name: `${index}`,
    })
  }
  return engine.chain('message.publish')
}

/** As on the hot path: an empty chain is not run at all. */
function runSync(chain: Chain<'message.publish'>, runs: number): unknown {
  let last: unknown
  for (let run = 0; run < runs; run++) last = chain.size === 0 ? message : chain.fold(args, message)
  return last
}

async function runAsync(chain: Chain<'message.publish'>, runs: number): Promise<unknown> {
  let last: unknown
  for (let run = 0; run < runs; run++) last = await chain.fold(args, message)
  return last
}

let sink = 0
function count({ qos }: BrokerMessage): void {
  sink += qos
}
const cases: readonly [name: string, chain: Chain<'message.publish'>, runs: number, asynchronous: boolean][] = [
  ['no hook', chainWith(0, () => () => undefined), 20_000_000, false],
  ['1 sync hook, nothing', chainWith(1, () => () => undefined), 10_000_000, false],
  ['10 sync hooks, nothing', chainWith(10, () => () => undefined), 3_000_000, false],
  ['10 sync hooks that count', chainWith(10, () => count), 3_000_000, false],
  ['1 sync hook, new payload', chainWith(1, () => (m) => ({ ok: { ...m, payload: m.payload } })), 1_000_000, false],
  ['1 async hook, nothing', chainWith(1, () => async () => undefined), 300_000, true],
]

console.log(`node ${process.version}, best of ${rounds}`)
for (const [name, chain, runs, asynchronous] of cases) {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint()
    const result = asynchronous ? await runAsync(chain, runs) : runSync(chain, runs)
    best = Math.min(best, Number(process.hrtime.bigint() - start) / runs)
    if (result === undefined) sink++
  }
  console.log(`${name.padEnd(28)} ${best.toFixed(1).padStart(8)} ns/run`)
}
if (sink < 0) console.log(sink)
