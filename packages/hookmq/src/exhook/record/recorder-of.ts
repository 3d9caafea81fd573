import type { Broker } from '@hookmq/core'
import { Recorder } from './recorder.ts'

/** The recorder of a broker's hooks. */
export function recorderOf(hooks: Broker['hooks'], node: string, processes: number): Recorder {
  return new Recorder(
    {
      add: (point, handler, given) => hooks.add(point, handler, { ...given, owner: 'record' }),
      watch: (point, watcher) => {
        hooks.chain(point).watcher = watcher
      },
    },
    node,
    processes,
  )
}
