import { join } from 'node:path'
import type { KeyValueStore, Logger, SessionStore } from '@hookmq/api'
import type { StoreSettings } from '@hookmq/config'
import { MemoryStore } from '@hookmq/store-memory'
import { SqliteStore, StoreError } from '@hookmq/store-sqlite'
import { lockDataDir } from '../control/lock.ts'
import { HookmqError } from '../errors.ts'

/** Where plugins keep their values. */
export interface PluginStore {
  namespace(name: string): KeyValueStore
  /** Where sessions and retained messages survive. Default: nowhere. */
  readonly sessions?: SessionStore
}

/** A store that the broker opens before its plugins are loaded, and closes when they are unloaded. */
export interface OpenedStore extends PluginStore {
  /** Where durable sessions and retained messages are; undefined: they are gone with the process. */
  readonly sessions: SessionStore | undefined
  /** Ends after `patience` milliseconds at the latest; what could not be written by then is lost. */
  close(patience: number): Promise<void>
}

export type OpenStore = (log: Logger) => Promise<OpenedStore>

/** The file of the durable store. */
export function storeFile(dataDir: string): string {
  return join(dataDir, 'hookmq.db')
}

/** One that is gone with the process, or that somebody else opened and will close. */
export function keep(store: PluginStore = new MemoryStore()): OpenStore {
  return async () => ({
    namespace: (name) => store.namespace(name),
    sessions: store.sessions,
    close: async () => {},
  })
}

/** `lock`: nobody has locked the data folder yet; the store does, for as long as it is open. */
export function storeOf(
  { type, durability }: StoreSettings,
  dataDir: string,
  { lock = false }: { lock?: boolean } = {},
): OpenStore {
  if (type === 'memory') return keep()
  return async (log) => {
    const held = lock ? lockDataDir(dataDir) : undefined
    try {
      const store = await SqliteStore.open({ file: storeFile(dataDir), durability, log })
      return {
        namespace: (name) => store.namespace(name),
        sessions: store.sessions,
        async close(patience) {
          await store.close(patience)
          held?.release()
        },
      }
    } catch (error) {
      held?.release()
      throw unusable(error)
    }
  }
}

/** What is wrong with the store as a line for the person in front of the terminal. */
export function unusable(error: unknown): unknown {
  return error instanceof StoreError ? new HookmqError('STORE_UNUSABLE', error.message, { cause: error }) : error
}
