import { statSync } from 'node:fs'
import { dirname, extname } from 'node:path'
import type { LaunchSettings } from './language.ts'

/** The folders of the path, in order, each once. A file stands for its folder, also before it is there. Throws an Error that names what is not there. */
export function searchFolders({ name, path }: Pick<LaunchSettings, 'name' | 'path'>): string[] {
  const folders = path.map((entry) => {
    const wanted = statSync(entry, { throwIfNoEntry: false })?.isDirectory() === true ? entry : dirname(entry)
    const isFile = wanted !== entry && (extname(entry) !== '' || statSync(entry, { throwIfNoEntry: false })?.isFile())
    if ((wanted !== entry && !isFile) || statSync(wanted, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new Error(
        `driver ${name}: there is no ${entry} (exhook.drivers.${name}.path); create it and put the handler in it`,
      )
    return wanted
  })
  return [...new Set(folders)]
}
