import { type ClientInfo, definePlugin, type HttpRoute, type PluginContext } from '@hookmq/api'
import { keepSettings, readKeptSettings } from '@hookmq/kit'
import { rulesFromBody, rulesToBody } from './http.ts'
import { rulesOfKeys, rulesOfTerm } from './read-rules.ts'
import { type Order, Rewriter } from './rewriter.ts'
import { Rule, type RuleText } from './rule.ts'

/** Where EMQX has it: before authentication, authorization and all other changes of a message. */
const priority = 980

export default definePlugin({
  name: 'rewrite',
  version: '0.1.0',
  api: '^0.1.0',
  aliases: ['emq_mod_rewrite', 'emqx_mod_rewrite'],
  description: 'Rewrites the topics of PUBLISH, SUBSCRIBE and UNSUBSCRIBE by rules',
  config: {
    'module.rewrite': { type: 'flag', default: 'on', description: 'off: nothing is rewritten.' },
    'module.rewrite.order': {
      type: 'enum',
      values: ['2.x', '4.x'],
      description:
        'Which rule is tried first: 2.x the first one, 4.x the last one. Default: 4.x for rules of keys, 2.x for `rules` of a .config file.',
    },
    'module.rewrite.recheck': {
      type: 'flag',
      default: 'off',
      description:
        'on: a message needs the permission to be published to the new topic as well, not only to the one that the client sent.',
    },
    'module.rewrite.rule.$N': {
      type: 'string',
      description: 'Rule for both directions: topic filter, regular expression and destination, with blanks between.',
    },
    'module.rewrite.pub.rule.$N': { type: 'string', description: 'Rule for PUBLISH only.' },
    'module.rewrite.sub.rule.$N': { type: 'string', description: 'Rule for SUBSCRIBE and UNSUBSCRIBE only.' },
    rules: {
      type: 'term',
      description: 'List of `{rewrite, "filter", "regular expression", "destination"}`, in a .config file.',
    },
  },
  async setup(ctx) {
    const { settings } = ctx
    const fromTerm = settings.has('rules') ? rulesOfTerm(settings.term('rules'), `${ctx.name}.config`) : []
    const fromKeys = rulesOfKeys(settings)
    const order: Order = settings.has('module.rewrite.order')
      ? (settings.text('module.rewrite.order') as Order)
      : fromTerm.length > 0 && fromKeys.length === 0
        ? '2.x'
        : '4.x'
    const tooLong = ctx.counter('too_long')
    let rules: readonly Rule[] = []
    let rewriter = new Rewriter(rules, order, () => {})
    const use = (next: readonly Rule[]): void => {
      rules = next
      rewriter = new Rewriter(next, order, (rule, error) => {
        tooLong.add()
        ctx.log.warn('topic not rewritten', { rule: rule.text.from, error: error.message })
      })
    }
    const kept = rulesFromBody((await readKeptSettings(ctx)) ?? false)
    use(typeof kept === 'string' ? usable(ctx, [...fromTerm, ...fromKeys]) : kept)
    if (!settings.flag('module.rewrite')) {
      ctx.log.info('module.rewrite is off: nothing is rewritten')
      return
    }
    addHooks(ctx, () => rewriter)
    ctx.members.onTold((value) => {
      const told = rulesFromBody(value)
      if (typeof told !== 'string') use(told)
    })
    for (const route of routes(ctx, () => rules, use)) ctx.route(route)
  },
})

function addHooks(ctx: PluginContext, rewriter: () => Rewriter): void {
  const rewritten = ctx.counter('rewritten')
  ctx.hook(
    'message.publish',
    ({ client }, message) => {
      // The mountpoint is not the client's: rules speak of the topic that it sent.
      const mountpoint = client?.mountpoint ?? ''
      const mounted = mountpoint !== '' && message.topic.startsWith(mountpoint)
      const topic = mounted ? message.topic.slice(mountpoint.length) : message.topic
      const owner = client ?? { clientId: message.from, username: message.headers.username }
      const name = rewriter().topicName(topic, owner)
      if (name === topic) return undefined
      rewritten.add()
      return { ok: { ...message, topic: mounted ? mountpoint + name : name } }
    },
    { priority, recheck: ctx.settings.flag('module.rewrite.recheck'), payload: 'ignore', name: 'rewrite' },
  )
  ctx.hook('client.subscribe', ({ client }, subscriptions) => rewriteAll(rewriter(), client, subscriptions), {
    priority,
    name: 'rewrite',
  })
  ctx.hook('client.unsubscribe', ({ client }, filters) => rewriteAll(rewriter(), client, filters), {
    priority,
    name: 'rewrite',
  })
}

function rewriteAll<T extends { readonly filter: string }>(
  rewriter: Rewriter,
  client: ClientInfo,
  list: readonly T[],
): { ok: readonly T[] } | undefined {
  let changed = false
  const rewritten = list.map((entry) => {
    const filter = rewriter.topicFilter(entry.filter, client)
    if (filter === entry.filter) return entry
    changed = true
    return { ...entry, filter }
  })
  return changed ? { ok: rewritten } : undefined
}

/** A bad rule is left out, and the others hold, as in EMQX. */
function usable(ctx: PluginContext, texts: readonly RuleText[]): Rule[] {
  return texts.flatMap((text) => {
    try {
      return [new Rule(text)]
    } catch (error) {
      ctx.log.warn(`rewrite rule left out: ${text.from}: ${error instanceof Error ? error.message : String(error)}`)
      return []
    }
  })
}

function routes(ctx: PluginContext, rules: () => readonly Rule[], use: (rules: readonly Rule[]) => void): HttpRoute[] {
  const common = { path: '/mqtt/topic_rewrite', tag: 'Topic Rewrite' }
  return [
    {
      ...common,
      method: 'GET',
      summary: 'The rules, in the order in which they were written',
      handle: () => ({ status: 200, body: rulesToBody(rules()) }),
    },
    {
      ...common,
      method: 'PUT',
      summary: 'Replaces all rules; they hold until the file of settings is changed',
      async handle({ body }) {
        const given = rulesFromBody(body)
        if (typeof given === 'string') return { status: 400, body: { code: 'BAD_REQUEST', message: given } }
        await keepSettings(ctx, rulesToBody(given))
        use(given)
        ctx.members.tell(rulesToBody(given))
        return { status: 200, body: rulesToBody(given) }
      },
    },
  ]
}
