import { type CommandResult, definePlugin } from '@hookmq/api'
import { Captures } from './captures.ts'
import { collectGarbage } from './garbage.ts'
import { MemoryWatch } from './memory.ts'
import { nodeStats } from './node-stats.ts'
import { number } from './number.ts'

/** Between two looks at the memory, for the maxima. Milliseconds. */
const sampleInterval = 10_000

export default definePlugin({
  name: 'recon',
  version: '0.1.0',
  api: '^0.1.0',
  description: 'Recon Plugin',
  aliases: ['emq_recon', 'emqx_recon'],
  config: {
    'recon.gc_interval': {
      type: 'duration',
      unit: 's',
      default: '10m',
      description: 'Garbage collection of the whole heap: how often; 0 = never. Only where Node runs with --expose-gc.',
    },
    'recon.dir': { type: 'path', default: 'data/recon', description: 'Folder of heap snapshots and CPU profiles.' },
    'recon.max_files': {
      type: 'integer',
      default: '20',
      minimum: 1,
      maximum: 10_000,
      description: 'Files that the folder may have before the next one is refused.',
    },
    'recon.max_snapshot_heap': {
      type: 'bytesize',
      default: '1GB',
      description: 'Heap in use above which no snapshot is made: writing one stops the broker for seconds to minutes.',
    },
  },

  setup(ctx) {
    const { settings } = ctx
    const memory = new MemoryWatch()
    const captures = new Captures({
      folder: settings.text('recon.dir'),
      maxFiles: settings.number('recon.max_files'),
      maxHeap: settings.bytes('recon.max_snapshot_heap'),
      now: () => ctx.now(),
      wait: (milliseconds) => wait(milliseconds),
    })
    const wait = (milliseconds: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const ended = (): void => reject(new Error('recon was unloaded'))
        try {
          ctx.after(milliseconds, () => {
            ctx.signal.removeEventListener('abort', ended)
            resolve()
          })
          ctx.signal.addEventListener('abort', ended, { once: true })
        } catch {
          // On its way out already: there are no timers any more.
          ended()
        }
      })
    ctx.every(sampleInterval, () => memory.sample())
    const interval = settings.duration('recon.gc_interval')
    if (interval > 0) {
      if (collectGarbage() === 'not exposed') {
        ctx.log.info('recon.gc_interval has no effect: Node runs without --expose-gc')
      } else ctx.every(interval, collectGarbage)
    }

    ctx.command({
      name: 'recon',
      usage: [
        ['recon memory', 'Memory in use, now and at most'],
        ['recon allocated', 'Memory by space, now and at most'],
        ['recon bin_leak', 'Of Erlang; heap_snapshot answers the question here'],
        ['recon node_stats [<N>] [<Milliseconds>]', 'Event loop, memory and processor: 10 samples, one second each'],
        ['recon remote_load <Module>', 'Of Erlang; plugins reload is its counterpart here'],
        ['recon heap_snapshot [<Name>]', 'Write the heap to a file; the broker stands still meanwhile'],
        ['recon cpu_profile [<Seconds>] [<Name>]', 'Write what the processor does to a file; 10 seconds'],
      ],
      run([verb, ...args]): CommandResult | undefined | Promise<CommandResult | undefined> {
        switch (verb) {
          case 'memory':
            return args.length === 0 ? memory.usage() : undefined
          case 'allocated':
            return args.length === 0 ? memory.allocated() : undefined
          case 'bin_leak':
            return absent(
              'bin_leak',
              'Node has no binaries that processes share; recon heap_snapshot shows what is held',
            )
          case 'remote_load':
            return absent('remote_load', 'plugins reload <Plugin> loads the code of a plugin again')
          case 'node_stats': {
            const samples = number(args[0], 10, 1, 60)
            const every = number(args[1], 1000, 10, 60_000)
            if (samples === undefined || every === undefined || args.length > 2) return undefined
            return nodeStats(samples, every, wait)
          }
          case 'heap_snapshot':
            return args.length > 1 ? undefined : captures.heapSnapshot(args[0])
          case 'cpu_profile': {
            const seconds = number(args[0], 10, 1, 300)
            return seconds === undefined || args.length > 2 ? undefined : captures.cpuProfile(seconds, args[1])
          }
          default:
            return undefined
        }
      },
    })
  },
})

function absent(verb: string, instead: string): CommandResult {
  return { lines: [`${verb} does not exist here: ${instead}`], exitCode: 1 }
}
