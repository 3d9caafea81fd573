import type { BrokerAdmin, Command } from '@hookmq/api'
import type { ControlProfile } from '../control/layout.ts'
import type { WholeRecorder } from '../exhook/record/whole-recorder.ts'
import type { Tracer } from '../trace/tracer.ts'

/** What the broker's own commands are made from. */
export interface CommandContext {
  readonly admin: BrokerAdmin
  /** Whose lines are printed where EMQ 2.x and EMQX 4.x differ. */
  readonly profile: ControlProfile
  readonly tracer: Tracer
  readonly recorder: WholeRecorder
}

export type CommandFactory = (context: CommandContext) => Command
