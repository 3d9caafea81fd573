import { type ClientInfo, definePlugin, type HookPointName } from '@hookmq/api'
import type { ProviderScript, Received, ScriptedAnswer } from '@hookmq/api/testing'

// The far end of the suite of hook providers, as a plugin in a worker: its hooks do what the script in its settings says.

interface Subject {
  readonly client?: ClientInfo
  readonly topic?: string
  readonly from?: string
}

export default definePlugin({
  name: 'far',
  version: '0.1.0',
  api: '^0.1.0',
  setup(ctx) {
    const script = JSON.parse(ctx.config.script ?? '') as ProviderScript
    ctx.log.info('loaded')
    if (script.refuseLoad !== undefined) throw new Error(script.refuseLoad)
    const held = Promise.withResolvers<void>()
    const verdict = (answer: ScriptedAnswer): unknown => {
      switch (answer.do) {
        case 'continue':
          return undefined
        case 'hold':
          return held.promise
        case 'throw':
          throw new Error('scripted')
        case 'payload':
          return { [answer.stop === true ? 'stop' : 'ok']: { payload: answer.payload } }
        case 'drop':
          return { drop: true }
        case 'reject':
        case 'disconnect':
          return { [answer.do]: answer.code }
        default:
          return { stop: { result: answer.do } }
      }
    }
    for (const { name } of script.hooks) {
      const point = name as HookPointName
      const handler = (args: unknown, accumulator: unknown): never => {
        const subject: Subject = { ...(accumulator as Subject), ...(args as Subject) }
        const received: Received = {
          point: handle.point,
          clientId: subject.client?.clientId ?? subject.from ?? '',
          ...(subject.topic === undefined ? {} : { topic: subject.topic }),
        }
        ctx.log.info('received', { ...received })
        return verdict(script.answers?.[handle.point] ?? { do: 'continue' }) as never
      }
      const handle = ctx.hook(point, handler)
    }
    ctx.command({
      name: 'far',
      usage: [['far release', 'Lets held calls answer']],
      run: () => {
        held.resolve()
        return { lines: [] }
      },
    })
    ctx.onTeardown(() => ctx.log.info('unloaded'))
  },
})
