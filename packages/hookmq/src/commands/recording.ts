import type { CommandResult } from '@hookmq/api'
import type { RecordingOptions } from '../exhook/record/recorder.ts'
import type { CommandFactory } from './context.ts'

/** Events of one answer: making lines of them must not keep the broker from its clients for long. */
const portion = 500

/** What `hookmq exhook record` asks the broker for; not for people, and so not in the help. */
export const recordingCommand: CommandFactory = ({ recorder }) => ({
  name: 'hook-recording',
  usage: [],
  async run([what, text, ...rest]): Promise<CommandResult | undefined> {
    if (rest.length > 0) return undefined
    if (what === 'start' && text !== undefined) {
      const header = await recorder.start(JSON.parse(text) as RecordingOptions)
      if (header === undefined) return { lines: [], exitCode: 1, json: { error: 'already_recording' } }
      return { lines: [], json: { header } }
    }
    if (what === 'fetch' && text === undefined) return found(await recorder.fetch(portion))
    if (what === 'stop' && text === undefined) return found(await recorder.stop())
    return undefined
  },
})

function found(json: unknown): CommandResult {
  return json === undefined ? { lines: [], exitCode: 1, json: { error: 'not_recording' } } : { lines: [], json }
}
