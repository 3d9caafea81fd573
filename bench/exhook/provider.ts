/** A provider that does nothing, in a process of its own. `node provider.ts HOOK…` */
import { type Hooks, serve, silentLogger } from '@hookmq/provider'

const hooks = Object.fromEntries(process.argv.slice(2).map((name) => [name, () => undefined])) as Hooks
const { address } = await serve(hooks, { listen: 0, logger: silentLogger })
process.send?.({ address })
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
process.on('disconnect', () => process.exit())
