import type { Listener } from '@hookmq/api'
import { WorkersCluster } from '@hookmq/cluster-workers'
import type { ListenerSpec } from '../broker/listeners.ts'
import { type Assembly, assemble, type WorkerParts } from '../cli/assemble.ts'
import { report } from '../cli/report.ts'
import { superviseSignals } from '../cli/signals.ts'
import { ControlServer } from '../control/server.ts'
import { messageOf } from '../errors.ts'
import { type ConnectionHandle, handOver, takeOver } from './hand-over.ts'
import type { FromWorker, ToWorker, WorkerInit } from './messages.ts'
import { RelayServer } from './relay.ts'
import { reusesPorts } from './reuse-port.ts'

/** Milliseconds between two looks at whether the supervisor is still there. */
const watchInterval = 500

/** The life of a worker process: it does what its supervisor says, and ends when that one is gone. */
export function superviseWorker(): void {
  let assembly: Assembly | undefined
  const bind = Promise.withResolvers<void>()
  let ending = false
  const end = (): void => {
    // A second signal would cut the first one short.
    if (!ending) process.kill(process.pid, 'SIGTERM')
    ending = true
  }
  process.on('disconnect', end)
  // A supervisor that is killed in the middle of a message leaves a channel that never says that it ended.
  const supervisor = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === supervisor) return
    clearInterval(watch)
    end()
  }, watchInterval)
  watch.unref()
  process.on('message', (message: ToWorker, handle?: ConnectionHandle) => {
    switch (message.kind) {
      case 'init':
        run(message, bind.promise, (made) => {
          assembly = made
        }).catch((error: unknown) => {
          report(error)
          tell({ kind: 'failed' })
          process.exitCode = 1
          process.disconnect()
        })
        return
      case 'bind':
        return bind.resolve()
      case 'connection':
        if (handle === undefined) return
        if (assembly === undefined) handle.close()
        else void takeOver(message, handle, assembly.broker.listeners, assembly.log)
    }
  })
}

async function run(init: WorkerInit, bind: Promise<void>, assembled: (assembly: Assembly) => void): Promise<void> {
  const { flags, name, names } = init
  const leads = name === names[0]
  const assembly = await assemble(flags, workerParts(init, bind))
  assembled(assembly)
  const { broker, log, config, reload } = assembly
  const supervision = superviseSignals(broker, log, reload)
  const relay = await RelayServer.open(init.folder, name, broker.host)
  process.on('exit', () => relay.close())
  try {
    await broker.start()
  } catch (error) {
    supervision.release()
    await log.flush()
    throw error
  }
  if (supervision.stopping) return
  if (leads) {
    try {
      const { admin } = broker
      const control = await ControlServer.open({ admin, dataDir: config.dataDir, profile: config.control.profile, log })
      process.on('exit', () => control.close())
    } catch (error) {
      log.error(`'hookmq ctl' will not reach this broker: ${messageOf(error)}`)
    }
    if (flags.watch === true) {
      const { watchPlugins } = await import('../plugins/watch.ts')
      watchPlugins(broker.admin, log)
    }
  }
  tell({ kind: 'ready', listeners: broker.listeners.map(({ id, address }) => ({ id, address })) })
  const plugins = broker.plugins.join(', ') || 'none'
  log.info('started', { worker: name, pid: process.pid, node: process.versions.node, plugins })
}

function workerParts({ name, names, folder, expected, startedAt }: WorkerInit, bind: Promise<void>): WorkerParts {
  const leads = name === names[0]
  return {
    name,
    leads,
    startedAt,
    cluster: ({ workers }, log) =>
      new WorkersCluster({
        name,
        names,
        folder,
        expected,
        log,
        maxPending: workers.maxPending,
        patience: workers.patience,
        handOver: (owner, transport, bytes, admission) => handOver(folder, owner, transport, bytes, admission),
      }),
    share: (listener) => share(listener, leads, names.length),
    beforeListening() {
      tell({ kind: 'prepared' })
      return bind
    },
  }
}

/** Limits are for the whole broker: each worker has its part of them. */
function share(listener: ListenerSpec | Listener, leads: boolean, count: number): ListenerSpec | Listener {
  if (!('type' in listener)) return listener
  const part = (limit: number | undefined): number | undefined => (limit ? Math.ceil(limit / count) : limit)
  const shared = {
    ...listener,
    maxConnections: part(listener.maxConnections),
    maxConnectRate: part(listener.maxConnectRate),
  }
  // There is one file for a Unix socket: the leader accepts for all.
  if (listener.type === 'unix' || !reusesPorts) return { ...shared, bind: leads }
  return { ...shared, reusePort: true }
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}
