import type {
  AuthorizeRequest,
  AuthorizeResult,
  ClientInfo,
  ExplainStep,
  Explanation,
  FoldPointName,
  TopicSubscription,
} from '@hookmq/api'
import { parseShared, reasonCodeName, topicFilterError, topicNameError } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import type { AnyHandler, Hook } from '../hooks/hook.ts'
import { type RehearsedStep, rehearse } from '../hooks/rehearse.ts'
import { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'

type Decision = Pick<Explanation, 'result' | 'by'>

/**
 * Rehearses a decision as BrokerAdmin.explain promises: client.authorize with each authorizer; then, where that allows it,
 * message.publish up to the sinks with the broker's second look, or client.subscribe.
 */
export async function explain(
  broker: Broker,
  clientId: string,
  action: 'publish' | 'subscribe',
  topic: string,
): Promise<Explanation> {
  const client = broker.sessions.get(clientId)?.client
  if (client === undefined) throw new Error(`there is no client '${clientId}'`)
  const { maxTopicLength: maxLength, maxTopicLevels: maxLevels } = broker.options
  const check = action === 'publish' ? topicNameError : topicFilterError
  const fault = check(topic, { maxLength, maxLevels })
  if (fault !== undefined) throw new TypeError(`'${topic}': ${fault.message}`)
  const rehearsal = new Rehearsal(broker, client)
  const decision = action === 'publish' ? await rehearsal.publish(topic) : await rehearsal.subscribe(topic)
  return { steps: rehearsal.steps, ...decision }
}

class Rehearsal {
  readonly steps: ExplainStep[] = []
  readonly #broker: Broker
  readonly #client: ClientInfo

  constructor(broker: Broker, client: ClientInfo) {
    this.#broker = broker
    this.#client = client
  }

  async publish(topic: string): Promise<Decision> {
    const { chains, clock } = this.#broker
    const client = this.#client
    const permission = await this.#authorize('publish', topic)
    if (permission.result === 'deny') return permission
    const { username, protocol, peerhost, mountpoint, clientId } = client
    const headers = username === undefined ? { protocol, peerhost } : { username, protocol, peerhost }
    const payload = Buffer.alloc(0)
    const original = new BrokerMessage(mountpoint + topic, payload, 0, false, false, clientId, clock.now(), {}, headers)
    const message = (await rehearse(chains.messagePublish, { client }, original, {
      record: (step) => this.#record('message.publish', step),
    })) as BrokerMessage | Refusal
    if (message instanceof Refusal) return { result: 'deny', by: message.by }
    return message === original ? permission : this.#recheck(message, permission)
  }

  /** The broker's own look at what the hooks made of the message, as on the real way. */
  async #recheck(message: BrokerMessage, permission: Decision): Promise<Decision> {
    const { maxTopicLength, maxTopicLevels } = this.#broker.options
    const fault = topicNameError(message.topic, { maxLength: maxTopicLength, maxLevels: maxTopicLevels })
    if (fault !== undefined) return { result: 'deny', by: `core (after hooks: ${fault.message})` }
    if (!message.needsRecheck) return permission
    const { mountpoint } = this.#client
    const topic = message.topic.startsWith(mountpoint) ? message.topic.slice(mountpoint.length) : message.topic
    return this.#authorize('publish', topic)
  }

  async subscribe(filter: string): Promise<Decision> {
    const client = this.#client
    const permission = await this.#authorize('subscribe', parseShared(filter)?.filter ?? filter)
    if (permission.result === 'deny') return permission
    const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
    const subscriptions: readonly TopicSubscription[] = [{ filter, options }]
    const { clientSubscribe } = this.#broker.chains
    const outcome = await rehearse(clientSubscribe, { client, properties: {} }, subscriptions, {
      record: (step) => this.#record('client.subscribe', step),
    })
    return outcome instanceof Refusal ? { result: 'deny', by: outcome.by } : permission
  }

  async #authorize(action: 'publish' | 'subscribe', topic: string): Promise<Decision> {
    const { chains, options, access } = this.#broker
    if (this.#client.superuser) return { result: 'allow', by: 'superuser' }
    const request: AuthorizeRequest = { client: this.#client, action, topic, qos: 0, retain: false }
    const start: AuthorizeResult = { result: options.aclNoMatch, from: 'default' }
    // What the authorizers say is recorded while their hook runs; in the list it stands below that hook.
    const inner: ExplainStep[] = []
    const instead = (hook: Hook): AnyHandler | undefined =>
      access.isAuthorization(hook.identity)
        ? () =>
            access.rehearse(request, (name, answer, milliseconds) =>
              inner.push({
                point: 'client.authorize',
                owner: hook.owner.name,
                hook: name,
                within: hook.label,
                priority: hook.priority,
                answer,
                state: answer === 'allow' || answer === 'deny' ? `${answer} by ${name}` : 'undecided',
                milliseconds,
              }),
            )
        : undefined
    const outcome = await rehearse(chains.clientAuthorize, request, start, {
      instead,
      record: (step) => {
        this.#record('client.authorize', step)
        this.steps.push(...inner.splice(0))
      },
    })
    if (outcome instanceof Refusal) return { result: 'deny', by: outcome.by }
    const { result, from } = outcome as AuthorizeResult
    return { result, by: from }
  }

  #record(point: FoldPointName, step: RehearsedStep): void {
    const { hook, milliseconds } = step
    this.steps.push({
      point,
      owner: hook.owner.name,
      hook: hook.name,
      priority: hook.priority,
      answer: answerOf(step),
      state: stateOf(step.after),
      milliseconds,
    })
  }
}

function answerOf({ answer, before, after, ended, failure, skipped }: RehearsedStep): string {
  if (skipped !== undefined) return `not asked: ${skipped === 'observes' ? 'it only observes' : 'other topics'}`
  if (failure !== undefined) return `failed: ${failure}`
  if (after instanceof Refusal) return refusalOf(after)
  if (answer === undefined || answer === 'ok') return 'ignore'
  const word = typeof after === 'object' && after !== null && 'result' in after ? String(after.result) : undefined
  const said = word ?? (after === before ? 'ok' : 'modified')
  if (!ended) return said
  return answer === 'stop' ? 'stop' : `${said}, stop`
}

function refusalOf({ kind, reasonCode, reasonString }: Refusal): string {
  const code = kind === 'drop' ? '' : ` 0x${reasonCode.toString(16).padStart(2, '0')} ${reasonCodeName(reasonCode)}`
  return `${kind}${code}${reasonString === undefined ? '' : ` (${reasonString})`}`
}

/** An accumulator in one line. */
function stateOf(value: unknown): string {
  if (value instanceof Refusal) return `refused by ${value.by}`
  if (value instanceof BrokerMessage)
    return `${value.topic} qos ${value.qos}${value.retain ? ' retain' : ''}, ${value.payload.length} bytes`
  if (Array.isArray(value))
    return (value as readonly TopicSubscription[])
      .map(({ filter, options }) => `${filter} qos ${options.qos}`)
      .join(', ')
  const { result, from } = value as AuthorizeResult
  return `${result} by ${from}`
}
