import { readFile } from 'node:fs/promises'
import type { AuthorizeRequest, Plugin, PluginContext } from '@hookmq/api'
import { type AclRules, parseAcl } from './rules.ts'

/** Behind every authorizer that does not say where it wants to be. */
const LAST = -1

export interface AclFilePlugin extends Plugin {
  /**
   * Reads the file again. When that fails the old rules stay in force.
   * @throws TermError, or what reading the file threw
   */
  reload(): Promise<void>
}

export interface AclFileOptions {
  /** The file of rules. Default: the setting `file` of the plugin. */
  readonly file?: string
}

/** Access control from a file of rules in Erlang terms, `etc/acl.conf`. */
export function createAclFilePlugin(options: AclFileOptions = {}): AclFilePlugin {
  let loaded: { file: string; context: PluginContext; rules: AclRules } | undefined
  const read = async (file: string): Promise<AclRules> => parseAcl(await readText(file), file)
  return {
    name: 'acl-file',
    version: '0.1.0',
    description: 'Access control from a file of rules',
    async setup(context) {
      const file = options.file ?? context.config.file
      if (file === undefined || file === '') {
        context.log.warn('acl-file has no file of rules: set acl_file, or the plugin setting file')
        return
      }
      const state = { file, context, rules: await read(file) }
      loaded = state
      context.authorizer(
        {
          name: 'acl-file',
          authorize: (request: AuthorizeRequest) => state.rules.decide(request),
          reload: () => this.reload(),
        },
        LAST,
      )
      context.onTeardown(() => {
        loaded = undefined
      })
      context.log.info(`access rules read from ${file}`, { rules: state.rules.count })
    },
    async reload() {
      const state = loaded
      if (state === undefined) throw new Error('acl-file is not loaded, or has no file of rules')
      state.rules = await read(state.file)
      state.context.log.info(`access rules read again from ${state.file}`, { rules: state.rules.count })
    },
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const reason = code === 'ENOENT' ? 'no such file' : code
    throw new Error(`${file}: the file of access rules (acl_file) cannot be read (${reason})`, { cause: error })
  }
}

export default createAclFilePlugin()
