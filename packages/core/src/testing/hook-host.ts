import type { HookHost, Refused } from '@hookmq/api/testing'
import type { HookEngine } from '../hooks/index.ts'
import { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'

/** An engine as the conformance suite for hook providers sees it. */
export function hookHost(engine: HookEngine): HookHost {
  const refused = ({ kind, reasonCode }: Refusal): Refused => ({ refused: kind, reasonCode })
  return {
    attach: (provider, policy) => engine.attach(provider, policy),
    async publish(init) {
      const result = await engine.chain('message.publish').fold({}, BrokerMessage.from(init, Date.now()))
      if (result instanceof Refusal) return refused(result)
      return { topic: result.topic, payload: Buffer.from(result.payload).toString() }
    },
    async authenticate(client) {
      const result = await engine.chain('client.authenticate').fold({ client }, { result: 'ignore' })
      return result instanceof Refusal ? refused(result) : result
    },
    async authorize(request) {
      const result = await engine.chain('client.authorize').fold(request, { result: 'allow', from: 'default' })
      return result instanceof Refusal ? refused(result) : result
    },
    notify: (point, args) => engine.chain(point).notify(args),
    idle: (timeout) => engine.idle(timeout),
  }
}
