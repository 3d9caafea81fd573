import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ListenerHost, Logger, TransportHandler } from '@hookmq/api'
import { WorkersCluster } from '@hookmq/cluster-workers'

/** As many workers make the broker of each test: HOOKMQ_TEST_WORKERS=2 has all scenarios run against two. */
export const workerCount = Number(process.env.HOOKMQ_TEST_WORKERS ?? 1)

/** Why a test looks at one process only; undefined when there is only one. */
export function oneProcess(reason: string): string | undefined {
  return workerCount === 1 ? undefined : `of one process: ${reason}`
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

const live = new Set<WorkersCluster>()

export interface TestCluster {
  readonly clusters: readonly WorkersCluster[]
  /** Who takes the connections of which worker: set before the first one comes. */
  readonly hosts: Map<string, ListenerHost>
  close(): void
}

/** The clusters of so many workers, in this process but over real sockets. Connections are handed over within the process. */
export function startTestCluster(count: number, log: Logger = silent): TestCluster {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-workers-'))
  const names = Array.from({ length: count }, (_, index) => `worker${index + 1}`)
  const hosts = new Map<string, ListenerHost>()
  const clusters = names.map(
    (name) =>
      new WorkersCluster({
        name,
        names,
        folder,
        log,
        handOver(owner, transport, bytes, admission): TransportHandler | undefined {
          const handler = hosts.get(owner)?.accept(transport, admission)
          handler?.data(Buffer.from(bytes))
          return handler
        },
      }),
  )
  for (const cluster of clusters) live.add(cluster)
  return {
    clusters,
    hosts,
    close() {
      for (const cluster of clusters) live.delete(cluster)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A broker that is made of several is running in this process. */
export function severalWorkers(): boolean {
  return live.size > 0
}

/** Resolves when all workers have taken what they were sent, and what they sent because of it. */
export async function workersSettled(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    for (const cluster of live) await cluster.taken()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
