// A child takes over the terminal, the arguments and the signals of this process; its end is this process's end.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']

/** A terminal sends these to the whole group: the child has them already, and a second Ctrl-C would mean "at once". */
const SENT_BY_TERMINAL = ['SIGINT', 'SIGHUP', 'SIGQUIT']

/**
 * @param {string} program path of the program
 * @param {string[]} args
 * @returns {Promise<number>} the child's exit code; 128 + number of the signal that ended it, as shells have it
 */
export function handOver(program, args) {
  const child = spawn(program, args, { stdio: 'inherit' })
  const passOn = (signal) => {
    if (process.stdin.isTTY === true && SENT_BY_TERMINAL.includes(signal)) return
    child.kill(signal)
  }
  for (const signal of SIGNALS) process.on(signal, passOn)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      for (const name of SIGNALS) process.off(name, passOn)
      resolve(code ?? 128 + (constants.signals[signal] ?? 0))
    })
  })
}
