import type { BrokerAdmin, HttpRequest, Message, RetainedStore } from '@hookmq/api'

/** How each member of the admin interface gets to a worker: all of them must be here. */
export const adminMembers: { readonly [K in keyof BrokerAdmin]: 'constant' | 'now' | 'later' | 'list' | 'own' } = {
  node: 'constant',
  version: 'constant',
  startedAt: 'constant',
  retainedSurvive: 'constant',
  refresh: 'later',
  clients: 'list',
  client: 'now',
  kick: 'later',
  subscriptions: 'list',
  subscribe: 'now',
  subscribeOnBehalf: 'later',
  unsubscribe: 'now',
  topics: 'list',
  publish: 'later',
  retained: 'own',
  listeners: 'now',
  startListener: 'later',
  stopListener: 'later',
  plugins: 'now',
  loadPlugin: 'later',
  unloadPlugin: 'later',
  reloadPlugin: 'later',
  changedPlugins: 'later',
  hooks: 'now',
  providers: 'now',
  waitingHooks: 'now',
  explain: 'later',
  cleanAclCache: 'now',
  reloadAccessRules: 'later',
  alarms: 'now',
  forgetAlarms: 'now',
  metrics: 'now',
  stats: 'now',
  commands: 'own',
  routes: 'own',
  onChange: 'own',
  logLevel: 'own',
  logHandlers: 'now',
  setLogHandler: 'now',
}

interface Callbacks {
  begin(iterator: Iterator<unknown>): unknown
  keep(end: () => void): number
  tell(id: number, args: readonly unknown[]): void
}

type Method = (...args: never[]) => unknown

/** The broker's end of `ctx.admin`, by the names that the worker uses. */
export function adminMethods(admin: BrokerAdmin, { begin, keep, tell }: Callbacks): Record<string, Method> {
  const methods: Record<string, Method> = {}
  const members = admin as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const [name, kind] of Object.entries(adminMembers)) {
    if (kind === 'now' || kind === 'later') methods[`admin.${name}`] = (...args: unknown[]) => members[name](...args)
    if (kind === 'list') methods[`admin.${name}`] = () => begin(members[name]() as Iterator<unknown>)
  }
  return {
    ...methods,
    ...retainedMethods(() => admin.retained, begin),
    'admin.commands': () => admin.commands().map(({ name, usage }) => ({ name, usage })),
    'admin.runCommand': (name: string, args: readonly string[]) => {
      const command = admin.commands().find((one) => one.name === name)
      if (command === undefined) throw new Error(`there is no command '${name}' any more`)
      return command.run(args)
    },
    'admin.routes': () => admin.routes().map(({ handle: _, ...route }) => route),
    'admin.handleRoute': (method: string, path: string, request: HttpRequest) => {
      const route = admin.routes().find((one) => one.method === method && one.path === path)
      if (route === undefined) throw new Error(`there is no route ${method} ${path} any more`)
      return route.handle(request)
    },
    'admin.onChange': (id: number) => keep(admin.onChange(() => tell(id, []))),
    'admin.logLevel': () => admin.logLevel,
    'admin.setLogLevel': (level: string) => {
      admin.logLevel = level
    },
  }
}

function retainedMethods(store: () => RetainedStore, begin: Callbacks['begin']): Record<string, Method> {
  return {
    'retained.count': () => store().count,
    'retained.put': (message: Message) => store().put(message),
    'retained.delete': (topic: string) => store().delete(topic),
    'retained.get': (topic: string) => store().get(topic),
    'retained.match': (filter: string) => begin(store().match(filter)),
    'retained.all': () => begin(store().all()),
    'retained.clear': () => store().clear(),
  }
}
