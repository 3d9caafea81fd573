import { registerHooks } from 'node:module'

const ownPackage = /^(hookmq|@hookmq\/(api|kit|mqtt))(\/|$)/

let registered = false

/**
 * Lets a plugin file that lies outside any package `import … from 'hookmq'` (or '@hookmq/api', '@hookmq/kit', '@hookmq/mqtt').
 * A copy that is installed near the file wins; this installation is only the fallback. Idempotent.
 */
export function resolveOwnPackages(): void {
  if (registered) return
  registered = true
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!ownPackage.test(specifier)) return nextResolve(specifier, context)
      try {
        return nextResolve(specifier, context)
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error
        return nextResolve(specifier, { ...context, parentURL: import.meta.url })
      }
    },
  })
}
