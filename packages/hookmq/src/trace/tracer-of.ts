import type { Broker } from '@hookmq/core'
import { type TraceChange, Tracer } from './tracer.ts'

/** No plugin can have this name. */
const subject = '$trace'

/** The tracer of a broker: in every process of it, where there are several. */
export function tracerOf({ hooks, plugins, peers }: Broker): Tracer {
  const tracer = new Tracer(
    (point, handler, given) => hooks.add(point, handler, { ...given, owner: 'trace' }),
    undefined,
    (change) => peers?.whole.askPlugin(subject, change) ?? Promise.resolve(),
  )
  plugins.onAsked(subject, (change) => tracer.follow(change as TraceChange))
  // A process that is started while there is a trace goes on with it.
  plugins.onTold(subject, (change) => void tracer.follow(change as TraceChange))
  peers?.onJoined(() => {
    for (const start of tracer.list()) peers.cluster.tell('plugin', { plugin: subject, value: { start } })
  })
  return tracer
}
