import type { Command, CommandResult } from '@hookmq/api'
import { messageOf } from '../errors.ts'
import type { CommandContext, CommandFactory } from './context.ts'
import { notFound, say } from './text.ts'

const cleanUsage = (name: string): Command['usage'] => [
  [`${name} cache-clean all`, 'Forget the remembered access decisions of all clients'],
  [`${name} cache-clean node <Node>`, 'The same, on one node'],
  [`${name} cache-clean <ClientId>`, 'Forget those of one client'],
]

export const aclCommand: CommandFactory = (context) => ({
  name: 'acl',
  usage: [['acl reload', 'Read the access rules again'], ...cleanUsage('acl')],
  async run(args) {
    if (args.length !== 1 || args[0] !== 'reload') return clean(context, args)
    try {
      const reloaded = await context.admin.reloadAccessRules()
      return { ...say('reload acl_internal successfully'), json: { reloaded } }
    } catch (error) {
      // What was in force before stays in force.
      return {
        ...say(`reload acl_internal error: ${messageOf(error)}`),
        json: { error: messageOf(error) },
        exitCode: 1,
      }
    }
  },
})

/** The name that EMQX 5 gives to the second half of `acl`. */
export const authzCommand: CommandFactory = (context) => ({
  name: 'authz',
  usage: cleanUsage('authz'),
  run: (args) => clean(context, args),
})

function clean({ admin }: CommandContext, [what, target, node, ...rest]: readonly string[]): CommandResult | undefined {
  if (what !== 'cache-clean' || target === undefined || rest.length > 0) return undefined
  if (target === 'node' && node !== undefined) {
    if (node !== admin.node) return say(`acl cache-clean node ${node} FAILED`)
    admin.cleanAclCache()
    return say(`acl cache-clean node ${node} OK`)
  }
  if (node !== undefined) return undefined
  if (target === 'all') {
    admin.cleanAclCache()
    return say('acl cache-clean all OK')
  }
  return admin.cleanAclCache(target) ? say(`acl cache-clean ${target} OK`) : notFound
}
