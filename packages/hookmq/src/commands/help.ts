import { layouts, usageLines } from '../control/layout.ts'
import type { CommandFactory } from './context.ts'

/** Every command that says how it is used, in the order of registration. */
export const helpCommand: CommandFactory = ({ admin, profile }) => ({
  name: 'help',
  usage: [],
  run() {
    const { program, rule } = layouts[profile]
    const commands = admin.commands().filter(({ usage }) => usage.length > 0)
    return {
      lines: [
        `Usage: ${program}`,
        ...commands.flatMap((command) => ['-'.repeat(rule), ...usageLines(command, profile)]),
      ],
      json: commands.map(({ name, usage }) => ({
        name,
        usage: usage.map(([words, description]) => ({ usage: words, description })),
      })),
    }
  },
})
