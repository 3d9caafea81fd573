import type { Command } from '@hookmq/api'

/** Whose lines are printed where EMQ 2.x and EMQX 4.x differ. */
export type ControlProfile = '2.x' | '4.x'

interface Layout {
  /** As the help calls the program. */
  readonly program: string
  /** Dashes between the commands of the help. */
  readonly rule: number
  /** Width of the left column of usage lines. */
  readonly usage: number
}

export const layouts: Readonly<Record<ControlProfile, Layout>> = {
  '2.x': { program: 'emqttd_ctl', rule: 80, usage: 48 },
  '4.x': { program: 'emqx_ctl', rule: 110, usage: 70 },
}

export function usageLines(command: Command, profile: ControlProfile): string[] {
  const { usage: width } = layouts[profile]
  return command.usage.map(([usage, description]) => `${usage.padEnd(width)}# ${description}`)
}
