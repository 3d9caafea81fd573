import { define, type KeyDefinition } from './definition.ts'
import { brokerKeys } from './schema-broker.ts'
import { listenerKeys } from './schema-listeners.ts'
import type { ControlSettings, LogSettings, StoreSettings } from './settings.ts'
import { byteSize, integer, oneOf, path, string, stringList, timer } from './types.ts'

const files: readonly KeyDefinition[] = [
  define('Files', {
    key: 'node.data_dir',
    type: path,
    default: 'data',
    text: 'Folder for everything that the broker keeps.',
    apply: (draft, value) => {
      draft.dataDir = value
    },
  }),
  define('Files', {
    key: 'plugins.etc_dir',
    type: path,
    default: 'etc/plugins',
    text: 'Folder with the settings of the plugins, one `NAME.conf` (or `NAME.config`) each.',
    aliases: ['mqtt.plugins.etc_dir'],
    apply: (draft, value) => {
      draft.plugins.etcDir = value
    },
  }),
  define('Files', {
    key: 'plugins.dir',
    type: path,
    text: 'Folder with plugins of your own, one folder each. Those in `node_modules` beside `etc` are found without it.',
    aliases: ['plugins_dir', 'plugins.expand_plugins_dir', 'plugins.install_dir'],
    apply: (draft, value) => {
      draft.plugins.dir = value
    },
  }),
  define('Files', {
    key: 'plugins.loaded_file',
    type: path,
    text:
      'File that names the plugins to load at the start, in this order; `plugins load` and `plugins unload` keep it up to date. ' +
      'Default: `loaded_plugins` in `node.data_dir`. When it is not there it is made, with management, presence and exhook.',
    aliases: ['mqtt.plugins.loaded_file'],
    apply: (draft, value) => {
      draft.plugins.loadedFile = value
    },
  }),
  define('Files', {
    key: 'plugins.load',
    type: stringList,
    text: 'Plugins to load at the start, before those of `plugins.loaded_file`: names, or paths, with commas between them.',
    apply: (draft, value) => {
      draft.plugins.load = value
    },
  }),
]

const store: readonly KeyDefinition[] = [
  define('Store', {
    key: 'store.type',
    type: oneOf<StoreSettings['type']>({ sqlite: 'sqlite', memory: 'memory' }),
    default: 'sqlite',
    text:
      'Where sessions with an expiry interval, their messages, retained messages and the values of plugins are kept: `sqlite` is the file ' +
      '`hookmq.db` in `node.data_dir`, `memory` is gone when the broker stops. docs/store.md says what is kept.',
    apply: (draft, value) => {
      draft.store.type = value
    },
  }),
  define('Store', {
    key: 'store.durability',
    type: oneOf<StoreSettings['durability']>({ fsync: 'fsync', os: 'os', none: 'none' }),
    default: 'fsync',
    text:
      'When something counts as stored: `fsync`: it is on the disk; `os`: the operating system has it, a power failure loses the last ' +
      'changes; `none`: the same, and a power failure may damage the file.',
    apply: (draft, value) => {
      draft.store.durability = value
    },
  }),
  define('Store', {
    key: 'store.max_waiting',
    type: byteSize({ min: 64 * 1024 }),
    default: '16MB',
    text: 'Bytes that may wait for the disk. Beyond it clients that publish to durable sessions are not read until it has caught up.',
    apply: (draft, value) => {
      draft.options.maxStoreWaiting = value
    },
  }),
  define('Store', {
    key: 'store.max_queued',
    type: integer({ min: 0 }),
    default: '20000000',
    text:
      'Messages that may wait for all durable sessions together; 0 = as many as the disk takes. One that comes beyond is dropped for the ' +
      'session that it would wait for, whatever `zone.external.mqueue_drop` says.',
    apply: (draft, value) => {
      draft.options.maxStoreQueued = value
    },
  }),
  define('Store', {
    key: 'store.max_queued_bytes',
    type: byteSize({ min: 0 }),
    default: '16GB',
    text: 'The same in bytes of payload and topic.',
    apply: (draft, value) => {
      draft.options.maxStoreQueuedBytes = value
    },
  }),
]

const workers: readonly KeyDefinition[] = [
  define('Workers', {
    key: 'node.workers',
    type: integer({ min: 1, max: 64 }),
    default: '1',
    text:
      'Processes that make up the broker, which share its ports and behave as one; each can keep one core busy. The same as ' +
      '`hookmq start --workers`. docs/workers.md says when more than one is worth it.',
    apply: (draft, value) => {
      draft.workers.count = value
    },
  }),
  define('Workers', {
    key: 'node.workers.max_pending',
    type: byteSize({ min: 65_536 }),
    default: '64MB',
    text:
      'Messages that may wait for one worker, in bytes. From an eighth of it on, publishers are read more slowly; what is beyond it is ' +
      'dropped, and counted in `messages.forward.dropped`.',
    apply: (draft, value) => {
      draft.workers.maxPending = value
    },
  }),
  define('Workers', {
    key: 'node.workers.patience',
    type: timer({ min: 1 }),
    default: '10s',
    text: 'For how long messages are kept for a worker that is away, and for which a starting worker waits for the others.',
    apply: (draft, value) => {
      draft.workers.patience = value
    },
  }),
]

const log: readonly KeyDefinition[] = [
  define('Log', {
    key: 'log.level',
    type: oneOf<LogSettings['level']>(
      { debug: 'debug', info: 'info', warning: 'warn', error: 'error' },
      { warn: 'warn', notice: 'info', critical: 'error', alert: 'error', emergency: 'error' },
    ),
    default: 'info',
    text: 'Least severe messages that are logged.',
    apply: (draft, value) => {
      draft.log.level = value
    },
  }),
  define('Log', {
    key: 'log.to',
    type: oneOf({ console: 'console', file: 'file', both: 'both', off: 'off' }),
    default: 'console',
    text: 'Where the log goes.',
    apply: (draft, value) => {
      draft.log.to = value
    },
  }),
  define('Log', {
    key: 'log.format',
    type: oneOf<LogSettings['format']>({ auto: 'auto', pretty: 'pretty', json: 'json' }, { text: 'pretty' }),
    default: 'auto',
    text: 'How a message is written; `auto` is `pretty` on a terminal and `json` elsewhere.',
    aliases: ['log.formatter'],
    apply: (draft, value) => {
      draft.log.format = value
    },
  }),
  define('Log', {
    key: 'log.file',
    type: path,
    default: 'log/hookmq.log',
    text: 'The file, when the log goes to one.',
    apply: (draft, value) => {
      draft.log.file = value
    },
  }),
]

const control = define('Command line', {
  key: 'ctl.profile',
  type: oneOf<ControlSettings['profile']>({ '4.x': '4.x', '2.x': '2.x' }, { '4': '4.x', '2': '2.x' }),
  default: '4.x',
  text: 'Which lines `hookmq ctl` prints where those of EMQ 2.x and EMQX 4.x differ.',
  apply: (draft, value) => {
    draft.control.profile = value
  },
})

/** Every zone but this one is an error: see unsupported.ts. */
const zone = define('Listeners', {
  key: 'zone.external.mountpoint',
  type: string,
  text: 'Prefix for the topics of the clients of every listener that has no mountpoint of its own.',
  apply: (draft, value) => {
    draft.mountpoint = value
  },
})

/** Every key that a configuration may have, in the order of the reference. */
export const brokerSchema: readonly KeyDefinition[] = [
  ...files,
  ...store,
  ...workers,
  ...log,
  control,
  ...brokerKeys,
  ...listenerKeys,
  zone,
]
