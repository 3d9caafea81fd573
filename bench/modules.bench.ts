/**
 * What the modules cost for each message: a publisher and a subscriber over links in this process, so that only the broker's own work is
 * in the figure. `node bench/modules.bench.ts [messages]`
 */
import type { Plugin } from '@hookmq/api'
import delayed from '@hookmq/plugin-delayed'
import presence from '@hookmq/plugin-presence'
import retainer from '@hookmq/plugin-retainer'
import rewrite from '@hookmq/plugin-rewrite'
import subscription from '@hookmq/plugin-subscription'
import { createBroker } from 'hookmq'

const messages = Number(process.argv[2] ?? 300_000)
const topics = 100
const rounds = 3

type Case = readonly [
  name: string,
  plugins: readonly { plugin: Plugin; config?: Record<string, string> }[],
  retain?: boolean,
]

const rules = { 'module.rewrite.rule.1': 'other/# ^other/(.+)$ z/$1' }
const hits = { 'module.rewrite.rule.1': 'in/# ^in/(.+)$ out/$1' }
const cases: readonly Case[] = [
  ['no plugin', []],
  ['presence', [{ plugin: presence }]],
  ['subscription', [{ plugin: subscription, config: { 'module.subscription.1.topic': '$client/%c' } }]],
  ['rewrite, no rule matches', [{ plugin: rewrite, config: rules }]],
  ['rewrite, each topic rewritten', [{ plugin: rewrite, config: hits }]],
  ['delayed', [{ plugin: delayed }]],
  ['retainer', [{ plugin: retainer }]],
  ['no plugin, retained', [], true],
  ['retainer, retained', [{ plugin: retainer }], true],
  ['retainer on disc, retained', [{ plugin: retainer, config: { 'retainer.storage_type': 'disc' } }], true],
  [
    'all five',
    [presence, subscription, delayed, retainer]
      .map((plugin): { plugin: Plugin; config?: Record<string, string> } => ({ plugin }))
      .concat([{ plugin: rewrite, config: rules }]),
  ],
]

/** Nanoseconds of processor time for each message. */
async function run([, plugins, retain = false]: Case): Promise<number> {
  const broker = await createBroker({ plugins: [...plugins], sysInterval: 0, sysHeartbeat: 0 })
  await broker.start()
  let received = 0
  broker.subscribe('#', () => void received++)
  const names = Array.from({ length: topics }, (_, index) => `in/${index}`)
  const payload = Buffer.alloc(16)
  const batch = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      const done = broker.publish({ topic: names[index % topics] ?? '', payload, retain })
      if (index % 500 === 0) await done
    }
  }
  await batch(messages / 10)
  const before = process.cpuUsage()
  await batch(messages)
  const { user, system } = process.cpuUsage(before)
  if (received !== messages + messages / 10) throw new Error(`${received} messages came`)
  await broker.stop()
  return ((user + system) * 1000) / messages
}

console.log(`node ${process.version}, ${messages} messages of 16 bytes to one receiver, best of ${rounds}`)
let base: number | undefined
for (const one of cases) {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) best = Math.min(best, await run(one))
  base ??= best
  const perSecond = Math.round(1e9 / best)
  console.log(
    `${one[0].padEnd(32)} ${best.toFixed(0).padStart(6)} ns/message ${(best - base).toFixed(0).padStart(6)} more  ${perSecond} messages/s of one core`,
  )
}
