import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second in /proc: fixed at 100 on Linux for programs. */
const ticksPerSecond = 100

/** Microseconds of processor time that a process and its descendants have used. Linux only. */
export function processorTime(pid: number): number {
  const children = new Map<number, number[]>()
  const ticks = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = statOf(Number(name))
    if (fields === undefined) continue
    ticks.set(Number(name), Number(fields[11]) + Number(fields[12]))
    const parent = Number(fields[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const sum = (process: number): number =>
    (ticks.get(process) ?? 0) + (children.get(process) ?? []).reduce((total, child) => total + sum(child), 0)
  return (sum(pid) * 1_000_000) / ticksPerSecond
}

/** The fields of /proc/PID/stat after the command's name, which may hold blanks. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    // It ended while we looked.
    return undefined
  }
}

/** Bytes of memory that a process has in RAM. */
export function residentBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1] ?? 0) * 1024
}
