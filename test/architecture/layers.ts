/** The layers: which package may import which, and who may touch the outside world. ARCHITECTURE.md says why. */

export interface Layer {
  /** Which packages of ours it may import; parts are named by their kind of folder. */
  readonly mayImport: readonly string[] | 'everything'
  /** False: no network, no files, no processes, no threads; they come in through ports. */
  readonly touchesTheWorld: boolean
}

const layers: Readonly<Record<string, Layer>> = {
  'packages/mqtt': { mayImport: [], touchesTheWorld: false },
  'packages/api': { mayImport: ['@hookmq/mqtt'], touchesTheWorld: false },
  'packages/kit': { mayImport: ['@hookmq/mqtt', '@hookmq/api'], touchesTheWorld: true },
  'packages/config': { mayImport: ['@hookmq/mqtt', '@hookmq/api', '@hookmq/kit'], touchesTheWorld: true },
  'packages/exhook-proto': { mayImport: [], touchesTheWorld: false },
  'packages/core': { mayImport: ['@hookmq/mqtt', '@hookmq/api'], touchesTheWorld: false },
  'packages/hookmq': { mayImport: 'everything', touchesTheWorld: true },
  'sdk/typescript': { mayImport: ['@hookmq/exhook-proto'], touchesTheWorld: true },
}

const listener: Layer = { mayImport: ['@hookmq/mqtt', '@hookmq/api', '@hookmq/kit'], touchesTheWorld: true }
const part: Layer = { mayImport: ['@hookmq/api', '@hookmq/kit'], touchesTheWorld: true }
const provider: Layer = { ...part, mayImport: ['@hookmq/api', '@hookmq/kit', '@hookmq/exhook-proto'] }

const partFolders = ['stores', 'clusters', 'plugins', 'gateways']

/** @returns undefined for a folder that the design does not know */
export function layerOf(folder: string): Layer | undefined {
  const kind = folder.split('/')[0] ?? ''
  if (kind === 'listeners') return listener
  if (kind === 'providers') return provider
  if (partFolders.includes(kind)) return part
  return layers[folder]
}

/** Built-in modules that reach outside of the process, or start another one. */
export const worldModules: ReadonlySet<string> = new Set(
  [
    'net tls dgram dns http http2 https inspector',
    'fs child_process cluster worker_threads sqlite readline repl tty wasi',
  ].flatMap((names) => names.split(' ')),
)
