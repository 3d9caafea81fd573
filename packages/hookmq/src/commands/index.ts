import type { Command } from '@hookmq/api'
import { aclCommand, authzCommand } from './acl.ts'
import { brokerCommand } from './broker.ts'
import { clientsCommand } from './clients.ts'
import { clusterCommand } from './cluster.ts'
import type { CommandContext, CommandFactory } from './context.ts'
import { helpCommand } from './help.ts'
import { hooksCommand } from './hooks.ts'
import { listenersCommand } from './listeners.ts'
import { logCommand } from './log.ts'
import { modulesCommand, pluginsCommand } from './plugins.ts'
import { recordingCommand } from './recording.ts'
import { routesCommand } from './routes.ts'
import { sessionsCommand } from './sessions.ts'
import { statusCommand } from './status.ts'
import { subscriptionsCommand } from './subscriptions.ts'
import { topicsCommand } from './topics.ts'
import { traceCommand } from './trace.ts'
import { unsupportedCommands } from './unsupported.ts'
import { vmCommand } from './vm.ts'

/** In the order of the help. */
const factories: readonly CommandFactory[] = [
  statusCommand,
  brokerCommand,
  clusterCommand,
  aclCommand,
  authzCommand,
  clientsCommand,
  sessionsCommand,
  routesCommand,
  topicsCommand,
  subscriptionsCommand,
  pluginsCommand,
  modulesCommand,
  vmCommand,
  traceCommand,
  logCommand,
  listenersCommand,
  hooksCommand,
  helpCommand,
  recordingCommand,
]

/** The broker's own commands. */
export function operatorCommands(context: CommandContext): Command[] {
  return [...unsupportedCommands(), ...factories.map((create) => create(context))]
}
