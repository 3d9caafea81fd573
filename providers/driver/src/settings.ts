import { delimiter, isAbsolute, resolve } from 'node:path'
import type {
  HookPointName,
  HookProviderPolicy,
  PluginConfigKey,
  PluginSettings,
  ProviderHookPolicy,
} from '@hookmq/api'
import { resolveHookPoint } from '@hookmq/api'
import type { SlotSettings } from './child/slot.ts'
import { compatibleHooks } from './compatible/arguments.ts'
import type { Language, LaunchSettings } from './language.ts'
import { languageNames, languageOf } from './languages.ts'

const of = (key: string): string => `exhook.drivers.$driver.${key}`

export const keys: Readonly<Record<string, PluginConfigKey>> = {
  'exhook.drivers': {
    type: 'string',
    default: 'python3',
    description: 'The drivers to start, separated by commas: python3, python, java. Those named first are asked first.',
  },
  'exhook.working_directory': {
    type: 'path',
    default: '.',
    description: 'What the processes are started in, and what relative search paths begin at.',
  },
  [of('path')]: {
    type: 'string',
    description:
      "Where the handler is: folders, separated by ':'. A file stands for its folder. Default data/extension/.",
  },
  [of('init_module')]: {
    type: 'string',
    description: 'Module or class with init and deinit. Default main for Python, Main for Java.',
  },
  [of('call_timeout')]: {
    type: 'duration',
    unit: 'ms',
    minimum: 1,
    description: 'How long a callback may take, init and deinit as well. Default 5s.',
  },
  [of('pool_size')]: {
    type: 'integer',
    minimum: 1,
    maximum: 256,
    description:
      'Processes. The events of one client always go to the same one; each has variables of its own. Default 1.',
  },
  [of('command')]: {
    type: 'string',
    description: 'The interpreter: a program in PATH, or a path. Default python3, java.',
  },
  [of('start_timeout')]: {
    type: 'duration',
    unit: 'ms',
    minimum: 1,
    description:
      'How long the process may take until it first answers; compiling a .java file is part of it. Default 10s.',
  },
  [of('max_memory')]: {
    type: 'bytesize',
    minimum: 0,
    description: 'Memory that a process may ask for (address space for Python, heap for Java); 0: no limit. Default 0.',
  },
  [of('max_cpu_time')]: {
    type: 'duration',
    unit: 's',
    minimum: 0,
    description: 'CPU time after which a process is ended and another started; 0: no limit. Default 0.',
  },
  [of('hot_reload')]: {
    type: 'flag',
    description:
      'Load the handler again soon after a file in its path was saved; the old processes first end their calls. Default off.',
  },
  [of('failed_action')]: {
    type: 'enum',
    values: ['deny', 'ignore'],
    description:
      'What a callback that fails means on client.authenticate and client.authorize. ignore: the verdict stays as it was. deny: refused, also before the handler has been loaded. Default ignore.',
  },
  [of('hook.$group.$point.failed_action')]: {
    type: 'enum',
    values: ['deny', 'ignore'],
    description:
      'The same for one hook, such as exhook.drivers.python3.hook.message.publish.failed_action = deny: not published.',
  },
  [of('hook.$group.$point.call_timeout')]: {
    type: 'duration',
    unit: 'ms',
    minimum: 1,
    description: 'How long the broker waits for this hook, where that is less than call_timeout.',
  },
  [of('max_in_flight')]: {
    type: 'integer',
    minimum: 0,
    description: 'Calls that may be with the driver at one time; 0: no limit. Default 4096.',
  },
  [of('max_waiting')]: {
    type: 'integer',
    minimum: 0,
    description: 'Calls that may wait for one of those places; one more fails. Default 10000.',
  },
  [of('queue.limit')]: {
    type: 'integer',
    minimum: 1,
    description: 'Notifications that may wait. Default 10000.',
  },
  [of('queue.drop')]: {
    type: 'enum',
    values: ['oldest', 'newest'],
    description: 'Which one goes when one more comes. Default oldest.',
  },
  [of('notifications_ahead')]: {
    type: 'integer',
    minimum: 0,
    description:
      'Notifications that may be on their way to a process before the broker waits for the end of each; their order is kept in any case. 0: it always waits. Default 256.',
  },
  [of('breaker.failures')]: {
    type: 'integer',
    minimum: 0,
    description:
      'After so many failures one after the other the driver is not asked for a while; 0: never. Default 20.',
  },
  [of('breaker.open_for')]: {
    type: 'duration',
    unit: 'ms',
    minimum: 1,
    description: 'For how long. Default 2s.',
  },
  [of('cache.ttl')]: {
    type: 'duration',
    unit: 'ms',
    minimum: 0,
    description:
      'For how long a verdict of client_authenticate or client_check_acl is remembered, so that the same question is not asked again; 0: not at all. Default 0.',
  },
  [of('cache.negative_ttl')]: {
    type: 'duration',
    unit: 'ms',
    minimum: 0,
    description: 'The same for verdicts that refuse. Default: cache.ttl.',
  },
  [of('restart_after_timeouts')]: {
    type: 'integer',
    minimum: 0,
    description: 'Timeouts one after the other after which a process is ended and started again; 0: never. Default 5.',
  },
  [of('restart_delay')]: {
    type: 'duration',
    unit: 'ms',
    minimum: 1,
    description: 'Before a process that has ended is started again; doubled each time that this fails. Default 100ms.',
  },
  [of('max_restart_delay')]: {
    type: 'duration',
    unit: 'ms',
    minimum: 1,
    description: 'The longest such pause. Default 30s.',
  },
  [of('max_buffer')]: {
    type: 'bytesize',
    minimum: 1024,
    description: 'What may wait for a process that does not read; a call beyond it fails. Default 32MB.',
  },
  [of('max_frame')]: {
    type: 'bytesize',
    minimum: 1024,
    description: 'The longest answers that a process may send at once. Default 64MB.',
  },
  [of('max_line')]: {
    type: 'integer',
    minimum: 80,
    description: 'Characters of a line that a handler prints; the rest is cut off. Default 8192.',
  },
  [of('max_lines')]: {
    type: 'integer',
    minimum: 1,
    description: 'Lines a second that go to the log; the others are counted. Default 1000.',
  },
}

export interface DriverSettings {
  readonly name: string
  readonly language: Language
  readonly launch: LaunchSettings
  readonly process: SlotSettings
  readonly policy: HookProviderPolicy
  readonly poolSize: number
  readonly notificationsAhead: number
  readonly hotReload: boolean
}

/** In the order in which they are asked. Throws a TypeError for a driver that there is not. */
export function readDrivers(settings: PluginSettings): DriverSettings[] {
  const names = settings
    .text('exhook.drivers')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  for (const [index, name] of names.entries()) {
    if (languageOf(name) === undefined) {
      const hint =
        name === 'python2' ? '; Python 2 is not supported, but most handlers run under python3 unchanged' : ''
      throw new TypeError(
        `exhook.drivers: not_supported_drivers_type: '${name}'; expected ${languageNames.join(', ')}${hint}`,
      )
    }
    if (names.indexOf(name) !== index) throw new TypeError(`exhook.drivers: '${name}' stands there twice`)
  }
  return names.map((name) => readDriver(settings, name))
}

function readDriver(settings: PluginSettings, name: string): DriverSettings {
  const language = languageOf(name)
  if (language === undefined) throw new TypeError(`exhook.drivers: there is no driver '${name}'`)
  const key = (last: string): string => `exhook.drivers.${name}.${last}`
  const number = (last: string, fallback: number): number => {
    if (!settings.has(key(last))) return fallback
    return settings.number(key(last))
  }
  const duration = (last: string, fallback: number): number =>
    settings.has(key(last)) ? settings.duration(key(last)) : fallback
  const bytes = (last: string, fallback: number): number =>
    settings.has(key(last)) ? settings.bytes(key(last)) : fallback
  const text = (last: string): string | undefined => (settings.has(key(last)) ? settings.text(key(last)) : undefined)
  const workingDirectory = resolve(settings.text('exhook.working_directory'))
  const callTimeout = duration('call_timeout', 5000)
  const maxMemory = bytes('max_memory', 0)
  const maxCpuTime = duration('max_cpu_time', 0) / 1000
  const initModule = text('init_module') ?? language.defaultInitModule
  return {
    name,
    language,
    poolSize: number('pool_size', 1),
    notificationsAhead: number('notifications_ahead', 256),
    hotReload: settings.has(key('hot_reload')) && settings.flag(key('hot_reload')),
    launch: {
      name,
      path: (text('path') ?? 'data/extension/')
        .split(delimiter)
        .filter((entry) => entry !== '')
        .map((entry) => (isAbsolute(entry) ? entry : resolve(workingDirectory, entry))),
      initModule,
      command: text('command'),
      workingDirectory,
      ...(maxMemory > 0 ? { maxMemory } : {}),
      ...(maxCpuTime > 0 ? { maxCpuTime: Math.max(1, Math.round(maxCpuTime)) } : {}),
    },
    process: {
      name,
      initModule,
      workingDirectory,
      startTimeout: duration('start_timeout', 10_000),
      callTimeout,
      restartAfterTimeouts: number('restart_after_timeouts', 5),
      restartDelay: duration('restart_delay', 100),
      maxRestartDelay: duration('max_restart_delay', 30_000),
      maxBuffered: bytes('max_buffer', 32 * 1024 * 1024),
      maxFrame: bytes('max_frame', 64 * 1024 * 1024),
      lines: { length: number('max_line', 8192), rate: number('max_lines', 1000) },
    },
    policy: {
      // As the plugin of EMQX: behind all others, and a handler that fails decides nothing.
      priority: 0,
      timeout: callTimeout,
      failedAction: text('failed_action') === 'deny' ? 'deny' : 'ignore',
      hooks: readHooks(settings, name),
      queueLimit: number('queue.limit', 10_000),
      queueDrop: text('queue.drop') === 'newest' ? 'newest' : 'oldest',
      maxInFlight: number('max_in_flight', 4096),
      maxWaiting: number('max_waiting', 10_000),
      breaker: { failures: number('breaker.failures', 20), openFor: duration('breaker.open_for', 2000) },
      cache: { ttl: duration('cache.ttl', 0), negativeTtl: duration('cache.negative_ttl', duration('cache.ttl', 0)) },
    },
  }
}

/** `hook.GROUP.POINT.…`: the broker's name of a hook (client.authorize), an old one, or the handler's in two parts (client.check_acl). */
function readHooks(settings: PluginSettings, name: string): HookProviderPolicy['hooks'] {
  const hooks: { [P in HookPointName]?: { -readonly [K in keyof ProviderHookPolicy]: ProviderHookPolicy[K] } } = {}
  for (const last of ['failed_action', 'call_timeout'] as const)
    for (const { key, words } of settings.matching(of(`hook.$group.$point.${last}`))) {
      if (words.driver !== name) continue
      const own = compatibleHooks.get(`${words.group}_${words.point}`)?.point
      const point = own ?? resolveHookPoint(`${words.group}.${words.point}`)
      const policy = hooks[point] ?? {}
      hooks[point] = policy
      if (last === 'call_timeout') policy.timeout = settings.duration(key)
      else policy.failedAction = settings.text(key) === 'deny' ? 'deny' : 'ignore'
    }
  return hooks
}
