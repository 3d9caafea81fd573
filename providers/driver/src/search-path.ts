import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LaunchSettings } from './language.ts'

/** The folders of the path, in order, each once. A file stands for its folder. Throws an Error that names what is not there. */
export function searchFolders({ name, path }: Pick<LaunchSettings, 'name' | 'path'>): string[] {
  const folders = path.map((entry) => {
    const found = statSync(entry, { throwIfNoEntry: false })
    if (found === undefined)
      throw new Error(
        `driver ${name}: there is no ${entry} (exhook.drivers.${name}.path); create it and put the handler in it`,
      )
    return found.isDirectory() ? entry : dirname(entry)
  })
  return [...new Set(folders)]
}
