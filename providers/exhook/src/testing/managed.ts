import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HttpResponse } from '@hookmq/api'
import { MemoryStore, startTestBroker, type TestBroker, type TestBrokerOptions } from 'hookmq/testing'
import exhook from '../plugin.ts'

export interface Managed {
  readonly broker: TestBroker
  readonly folder: string
  readonly store: MemoryStore
  get(path: string): Promise<HttpResponse>
  post(path: string, body: unknown): Promise<HttpResponse>
  put(path: string, body: unknown): Promise<HttpResponse>
  remove(path: string): Promise<HttpResponse>
  ctl(...words: string[]): Promise<readonly string[]>
}

type Scope = { after(run: () => void | Promise<void>): void }

/** A broker with the plugin, whose servers have been tried once. Give two the same store and folder to test a restart. */
export async function startManaged(
  scope: Scope,
  conf: Readonly<Record<string, string>> = {},
  before: Partial<Pick<Managed, 'store' | 'folder'>> = {},
  options: TestBrokerOptions = {},
): Promise<Managed> {
  const { store = new MemoryStore(), folder = mkdtempSync(join(tmpdir(), 'hookmq-exhook-')) } = before
  if (before.folder === undefined) scope.after(() => rmSync(folder, { recursive: true, force: true }))
  const broker = await startTestBroker(scope, { ...options, store })
  await broker.load(exhook, { 'exhook.certs_dir': join(folder, 'certs'), ...conf })
  await settled(broker)
  return {
    broker,
    folder,
    store,
    get: async (path) => broker.request('GET', path),
    post: async (path, body) => broker.request('POST', path, { body }),
    put: async (path, body) => broker.request('PUT', path, { body }),
    remove: async (path) => broker.request('DELETE', path),
    ctl: async (...words) => (await broker.ctl(['exhook', ...words])).lines,
  }
}

/** Resolves when no provider is loading. */
export async function settled(broker: TestBroker): Promise<void> {
  await until(() => broker.admin.providers().every(({ status }) => status !== 'loading'))
}

export async function until(holds: () => boolean | Promise<boolean>, what = 'it'): Promise<void> {
  const end = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited 60 s in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
