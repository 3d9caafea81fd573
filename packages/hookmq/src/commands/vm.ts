import { readdirSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import type { CommandFactory } from './context.ts'
import { field } from './text.ts'

type Section = 'load' | 'memory' | 'process' | 'io' | 'ports'
type Numbers = Record<string, number | string>

/** What stands before the slash, and how far the name goes: the colon is in column 25 (ports: 23). */
const widths: Readonly<Record<Section, number>> = { load: 20, memory: 17, process: 16, io: 21, ports: 16 }

/** The names are those of the Erlang machine; the numbers are the nearest that Node has. */
const readers: Readonly<Record<Section, () => Numbers>> = {
  load() {
    const [one, five, fifteen] = loadavg()
    return { load1: one.toFixed(2), load5: five.toFixed(2), load15: fifteen.toFixed(2) }
  },
  memory() {
    const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
    return {
      total: rss,
      processes: heapTotal,
      processes_used: heapUsed,
      system: 0,
      atom: 0,
      atom_used: 0,
      binary: external,
      code: 0,
      ets: 0,
    }
  },
  // Sockets and timers that the event loop looks after, which are what a process is for in an Erlang machine.
  process: () => ({ limit: descriptorLimit(), count: process.getActiveResourcesInfo().length }),
  io: () => ({ max_fds: descriptorLimit(), active_fds: openDescriptors() }),
  ports: () => ({ count: openDescriptors(), limit: descriptorLimit() }),
}

const sections = Object.keys(readers) as Section[]

export const vmCommand: CommandFactory = () => ({
  name: 'vm',
  usage: [
    ['vm all', 'Show everything below'],
    ['vm load', 'Show the load of the machine'],
    ['vm memory', 'Show the memory that the broker uses, in bytes'],
    ['vm process', 'Show what the event loop looks after'],
    ['vm io', 'Show open files and sockets'],
    ['vm ports', 'Show open files and sockets, as ports'],
  ],
  run([what = 'all', ...rest]) {
    const chosen = what === 'all' ? sections : sections.filter((section) => section === what)
    if (chosen.length === 0 || rest.length > 0) return undefined
    const values = chosen.map((section) => [section, readers[section]()] as const)
    return {
      lines: values.flatMap(([section, numbers]) =>
        Object.entries(numbers).map(
          ([name, value]) => `${section === 'load' ? 'cpu' : section}/${field(name, value, widths[section])}`,
        ),
      ),
      json: Object.fromEntries(
        values.map(([section, numbers]) => [
          section,
          Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)])),
        ]),
      ),
    }
  },
})

/** 0 where the system does not say. */
function descriptorLimit(): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return Number(limit ?? 0)
  } catch {
    return 0
  }
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
