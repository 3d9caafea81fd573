import type { Command, CommandResult } from '@hookmq/api'
import type { Accounts } from './accounts.ts'

export interface AccountCommandInit {
  /** The command's first word. */
  readonly name: string
  /** What an account is named by, for the help: 'Username', 'ClientId'. */
  readonly subject: string
  readonly accounts: Accounts
  /** The word that the help has for removing one; `del` and `delete` both work. */
  readonly deleteWord: 'del' | 'delete'
  /** How a refusal is printed: `{error,existed}` by EMQ 2.x, `Error: existed` by EMQX 4.x. */
  readonly refusal: (reason: string) => string
}

/** `NAME list | add | update | del`, as EMQ and EMQX have them for their own accounts. */
export function accountCommand({ name, subject, accounts, deleteWord, refusal }: AccountCommandInit): Command {
  const ok: CommandResult = { lines: ['ok'], json: { ok: true } }
  const refused = (reason: string): CommandResult => ({ lines: [refusal(reason)], json: { ok: false, error: reason } })
  return {
    name,
    usage: [
      [`${name} list`, `List the accounts by ${subject}`],
      [`${name} add <${subject}> <Password>`, 'Add an account'],
      [`${name} update <${subject}> <NewPassword>`, 'Give an account another password'],
      [`${name} ${deleteWord} <${subject}>`, 'Delete an account'],
    ],
    async run(args) {
      const [verb, account, password] = args
      switch (`${verb} ${args.length}`) {
        case 'list 1': {
          const names = await accounts.names()
          return { lines: names, json: names }
        }
        case 'add 3': {
          const outcome = await accounts.add(account, password)
          return outcome === 'ok' ? ok : refused(outcome)
        }
        case 'update 3': {
          const outcome = await accounts.update(account, password)
          return outcome === 'ok' ? ok : refused(outcome)
        }
        case 'del 2':
        case 'delete 2':
          await accounts.delete(account)
          return ok
        default:
          return undefined
      }
    },
  }
}
