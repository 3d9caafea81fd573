import type {
  AuthenticateResult,
  Authenticator,
  AuthorizeRequest,
  AuthorizeResult,
  Authorizer,
  ClientInfo,
} from '@hookmq/api'
import { type QoS, ReasonCode } from '@hookmq/mqtt'
import { after } from '../after.ts'
import type { Broker } from '../broker.ts'
import type { CallScope } from '../hooks/index.ts'
import * as M from '../metrics/index.ts'
import { Refusal } from '../refusal.ts'
import { ModuleList, type Placed } from './module-list.ts'

/** Where EMQX 5 has these links: what people know about their order stays true. */
const authenticationPriority = 970
const authorizationPriority = 960

/** Who may connect and who may do what: two chains of modules, each one link of its hook point. */
export class Access {
  readonly #broker: Broker
  readonly authenticators = new ModuleList<Authenticator>('authenticator', () => {})
  readonly authorizers = new ModuleList<Authorizer>('authorizer', () => this.#authorizersChanged())
  #removeAuthorization: (() => void) | undefined
  readonly #authorization = (request: AuthorizeRequest) => this.#authorize(request)
  /** Changes whenever an answer given earlier may no longer be right: remembered answers carry it. */
  generation = 1

  constructor(broker: Broker) {
    this.#broker = broker
    broker.hooks.add('client.authenticate', ({ client }) => this.#authenticate(client), {
      owner: 'core',
      name: 'authentication',
      priority: authenticationPriority,
    })
  }

  get authenticatorCount(): number {
    return this.authenticators.entries.length
  }

  /** Higher sequence is asked first; equal: the one added last. Returns what takes it out again. Throws for a second of the same name. */
  addAuthenticator(module: Authenticator, sequence = 0): () => void {
    return add(this.authenticators, { module, sequence })
  }

  addAuthorizer(module: Authorizer, sequence = 0): () => void {
    return add(this.authorizers, { module, sequence })
  }

  /** The link of client.authorize is there only while there is somebody to ask: without it nobody pays for it. */
  #authorizersChanged(): void {
    this.generation++
    if (this.authorizers.entries.length === 0) {
      this.#removeAuthorization?.()
      this.#removeAuthorization = undefined
      return
    }
    if (this.#removeAuthorization !== undefined) return
    const handle = this.#broker.hooks.add('client.authorize', this.#authorization, {
      owner: 'core',
      name: 'authorization',
      priority: authorizationPriority,
      timeout: 0,
    })
    this.#removeAuthorization = () => handle.remove()
  }

  /** Has the authorizers read their rules again; resolves to the names of those that did. Rejects with what the first one that failed said. */
  async reload(): Promise<string[]> {
    const done: string[] = []
    try {
      for (const { module } of this.authorizers.entries) {
        if (module.reload === undefined) continue
        await module.reload()
        done.push(module.name)
      }
    } finally {
      this.clearCache()
    }
    return done
  }

  /** Forgets all remembered answers. */
  clearCache(): void {
    this.generation++
  }

  /** One decision, without the cache. Superusers may do everything. */
  authorize(request: AuthorizeRequest, scope?: CallScope): AuthorizeResult | Promise<AuthorizeResult> {
    const { client } = request
    const { metrics, chains, options } = this.#broker
    metrics.counters[M.CLIENT_AUTHORIZE]++
    if (client.superuser) {
      metrics.counters[M.CLIENT_ACL_SUPERUSER]++
      return this.#complete(request, { result: 'allow', from: 'superuser', cacheable: false })
    }
    metrics.counters[M.CLIENT_ACL_CACHE_MISS]++
    const start: AuthorizeResult = { result: options.aclNoMatch, from: 'default' }
    if (chains.clientAuthorize.size === 0) return this.#complete(request, start)
    return after(chains.clientAuthorize.fold(request, start, scope), (folded) =>
      this.#complete(
        request,
        folded instanceof Refusal ? { result: 'deny', from: folded.by, cacheable: false } : folded,
      ),
    )
  }

  /** A remembered answer was used. */
  cacheHit(client: ClientInfo, topic: string, qos: QoS, retain: boolean, allowed: boolean): void {
    const { counters } = this.#broker.metrics
    counters[M.CLIENT_ACL_CACHE_HIT]++
    this.#complete(
      { client, action: 'publish', topic, qos, retain },
      { result: allowed ? 'allow' : 'deny', from: 'cache' },
    )
  }

  #complete(request: AuthorizeRequest, result: AuthorizeResult): AuthorizeResult {
    const { metrics, chains } = this.#broker
    metrics.counters[result.result === 'allow' ? M.CLIENT_ACL_ALLOW : M.CLIENT_ACL_DENY]++
    if (chains.clientCheckAuthzComplete.size !== 0) {
      chains.clientCheckAuthzComplete.notify({ ...request, result: result.result, from: result.from })
    }
    return result
  }

  // --- rehearsals ------------------------------------------------------------------------------------------------

  /** Whether a handler is the link of client.authorize that asks the authorizers. */
  isAuthorization(handler: unknown): boolean {
    return handler === this.#authorization
  }

  /** What that link answers; tells of each authorizer that was asked: its name, its answer, milliseconds. */
  async rehearse(
    request: AuthorizeRequest,
    record: (name: string, answer: string, milliseconds: number) => void,
  ): Promise<{ stop: AuthorizeResult } | undefined> {
    for (const { module } of this.authorizers.entries) {
      const started = performance.now()
      const note = (answer: string): void => record(module.name, answer, performance.now() - started)
      try {
        const answer = await module.authorize(request)
        note(answer)
        if (answer !== 'ignore') return { stop: { result: answer, from: module.name } }
      } catch (error) {
        note(`failed: ${error instanceof Error ? error.message : String(error)}`)
        throw error
      }
    }
    return undefined
  }

  // --- the two links ---------------------------------------------------------------------------------------------

  #authenticate(client: Parameters<Authenticator['authenticate']>[0]) {
    return after(this.#askAuthenticators(this.authenticators.entries, 0, client), (result) => {
      // Somebody decided: nobody behind is asked. Nobody did: a default that hooks behind may overrule.
      if (result !== undefined) return { stop: result }
      const { options } = this.#broker
      const fallback: AuthenticateResult = options.allowAnonymous
        ? { result: 'allow', anonymous: true }
        : { result: 'deny', reasonCode: ReasonCode.NotAuthorized }
      return { ok: fallback }
    })
  }

  #askAuthenticators(
    list: readonly Placed<Authenticator>[],
    from: number,
    client: Parameters<Authenticator['authenticate']>[0],
  ): AuthenticateResult | undefined | Promise<AuthenticateResult | undefined> {
    for (let index = from; index < list.length; index++) {
      const answer = list[index]!.module.authenticate(client)
      if (answer instanceof Promise) {
        const { authenticators } = this
        authenticators.hold(list)
        return answer
          .then((result) => (result.result === 'ignore' ? this.#askAuthenticators(list, index + 1, client) : result))
          .finally(() => authenticators.release(list))
      }
      if (answer.result !== 'ignore') return answer
    }
    return undefined
  }

  #authorize(request: AuthorizeRequest) {
    return after(this.#askAuthorizers(this.authorizers.entries, 0, request), (result) =>
      result === undefined ? undefined : { stop: result },
    )
  }

  #askAuthorizers(
    list: readonly Placed<Authorizer>[],
    from: number,
    request: AuthorizeRequest,
  ): AuthorizeResult | undefined | Promise<AuthorizeResult | undefined> {
    for (let index = from; index < list.length; index++) {
      const { module } = list[index]!
      const answer = module.authorize(request)
      if (answer instanceof Promise) {
        const { authorizers } = this
        authorizers.hold(list)
        return answer
          .then((result) =>
            result === 'ignore' ? this.#askAuthorizers(list, index + 1, request) : { result, from: module.name },
          )
          .finally(() => authorizers.release(list))
      }
      if (answer !== 'ignore') return { result: answer, from: module.name }
    }
    return undefined
  }
}

function add<T extends { readonly name: string }>(list: ModuleList<T>, entry: Placed<T>): () => void {
  list.check([], [entry])
  list.exchange([], [entry])
  return () => list.exchange([entry], [])
}
