import type { Broker } from '@hookmq/core'
import { Recorder } from './recorder.ts'
import { answerOf, type RecorderQuestion, WholeRecorder } from './whole-recorder.ts'

/** No plugin can have this name. */
const subject = '$record'

/** The recorder of a broker's hooks: in every process of it, where there are several. */
export function recorderOf({ hooks, plugins, peers }: Broker, node: string): WholeRecorder {
  const recorder = new Recorder(
    {
      add: (point, handler, given) => hooks.add(point, handler, { ...given, owner: 'record' }),
      watch: (point, watcher) => {
        hooks.chain(point).watcher = watcher
      },
    },
    node,
  )
  plugins.onAsked(subject, (value) => answerOf(recorder, value as RecorderQuestion))
  return new WholeRecorder(recorder, (question) => peers?.whole.askPlugin(subject, question) ?? Promise.resolve([]))
}
