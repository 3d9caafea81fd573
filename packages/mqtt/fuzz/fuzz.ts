// The long run of the parser's fuzz test: node packages/mqtt/fuzz/fuzz.ts [packets = 1000000] [seed]
import fc from 'fast-check'
import { checkStream } from './check.ts'
import { stream } from './mutate.ts'

const wanted = Number(process.argv[2] ?? 1_000_000)
const firstSeed = Number(process.argv[3] ?? Date.now() & 0x7fffffff)
const batch = 2000

function heap(): string {
  const collect = (globalThis as { gc?: () => void }).gc
  collect?.()
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  const inMiB = (size: number) => `${(size / 1024 / 1024).toFixed(1)} MiB`
  return `heap ${inMiB(heapUsed)}, buffers ${inMiB(arrayBuffers)}, resident ${inMiB(rss)}`
}

let packets = 0
let streams = 0
let seed = firstSeed
let shown = 0
const started = Date.now()
console.log(`fuzzing until ${wanted} packets were sent, seed ${firstSeed}`)
console.log(`before: ${heap()}`)
while (packets < wanted) {
  fc.assert(
    fc.property(stream, (one) => {
      streams++
      packets += Math.max(1, checkStream(one))
    }),
    { numRuns: batch, seed },
  )
  seed++
  const tenth = Math.floor((packets * 10) / wanted)
  if (tenth > shown) {
    shown = tenth
    const seconds = ((Date.now() - started) / 1000).toFixed(0)
    console.log(`${Math.min(tenth * 10, 100)}%: ${packets} packets in ${streams} streams, ${seconds} s; ${heap()}`)
  }
}
console.log(`after: ${heap()}`)
console.log('no failure')
