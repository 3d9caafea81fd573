import {
  type ClientInfo,
  type PluginSettings,
  parseShared,
  type TopicSubscription,
  topicFilterError,
} from '@hookmq/api'

export interface Entry {
  /** `module.subscription.N` */
  readonly key: string
  readonly template: string
  readonly options: TopicSubscription['options']
}

/** What may stand in the place of a whole level. `${…}` are EMQX 5's words for the same. */
const placeholders: Readonly<Record<string, (client: ClientInfo) => string | undefined>> = {
  '%c': (client) => client.clientId,
  '%u': (client) => client.username,
  '${clientid}': (client) => client.clientId,
  '${username}': (client) => client.username,
  '${host}': (client) => client.peerhost,
  '${port}': (client) => String(client.peerport),
}

/** In the order of N as text. Throws a TypeError for a filter that cannot be one. */
export function readEntries(settings: PluginSettings): Entry[] {
  return settings.matching('module.subscription.$N.topic').map(({ key, words }) => {
    const template = settings.text(key)
    const example = levelsOf(template, () => 'x').join('/')
    const fault = topicFilterError(example)
    if (fault !== undefined) throw new TypeError(`${key} = ${template}: expected a topic filter; ${fault.message}`)
    const option = (name: string): number => settings.number(`module.subscription.${words.N}.${name}`)
    const noLocal = option('nl') === 1
    if (noLocal && parseShared(example) !== undefined) {
      throw new TypeError(`${key} = ${template}: a shared subscription cannot have nl = 1`)
    }
    return {
      key: `module.subscription.${words.N}`,
      template,
      options: {
        qos: option('qos') as 0 | 1 | 2,
        noLocal,
        retainAsPublished: option('rap') === 1,
        retainHandling: option('rh') as 0 | 1 | 2,
      },
    }
  })
}

/** What a client is subscribed to; a sentence when it gets none. */
export function subscriptionOf({ template, options }: Entry, client: ClientInfo): TopicSubscription | string {
  let problem: string | undefined
  const levels = levelsOf(template, (name, index) => {
    const value = placeholders[name](client)
    // A name of the client's own choice must not widen what it is given.
    if (value === undefined || value === '') problem ??= `the client has nothing for ${name}`
    else if (/[+#]/.test(value) || (index === 0 && value.startsWith('$')))
      problem ??= `its ${name} would change the filter`
    return value ?? ''
  })
  if (problem !== undefined) return problem
  const filter = levels.join('/')
  const fault = topicFilterError(filter)
  if (fault !== undefined) return fault.message
  // [MQTT-3.8.3-3] and Retain As Published are of MQTT 5 only; Retain Handling is the broker's own affair.
  const fits = client.protocolVersion === 5 ? options : { ...options, noLocal: false, retainAsPublished: false }
  return { filter, options: fits }
}

function levelsOf(template: string, replace: (placeholder: string, index: number) => string): string[] {
  return template.split('/').map((level, index) => (Object.hasOwn(placeholders, level) ? replace(level, index) : level))
}
