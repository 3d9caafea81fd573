import type { Broker } from '@hookmq/core'
import { type TraceChange, Tracer } from './tracer.ts'

/** No plugin can have this name. */
const subject = '$trace'

/** The tracer of a broker: in every process of it, where there are several. */
export function tracerOf({ hooks, plugins, peers }: Broker): Tracer {
  const tracer = new Tracer(
    (point, handler, given) => hooks.add(point, handler, { ...given, owner: 'trace' }),
    undefined,
    (value) => peers?.cluster.tell('plugin', { plugin: subject, value }),
  )
  plugins.onTold(subject, (value) => void tracer.told(value as TraceChange))
  return tracer
}
