import type { Command } from 'hookmq'

/** `hookmq ctl cmd arg1 arg2`, for as long as the plugin is loaded. */
export const command: Command = {
  name: 'cmd',
  usage: [['cmd arg1 arg2', 'A command of the demonstration']],
  run([first, second, ...rest]) {
    // Nothing returned: not understood, and the usage is printed.
    if (first !== 'arg1' || second !== 'arg2' || rest.length > 0) return undefined
    return { lines: ['ok'] }
  },
}
