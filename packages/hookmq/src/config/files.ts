import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the configuration comes from. */
export interface ConfigPlace {
  /** undefined: there is no file, all settings have their defaults. */
  readonly file: string | undefined
  /** The folder that relative paths in the file are in. */
  readonly home: string
  /** It came with an installed package: what the broker writes belongs to the working directory then. */
  readonly shipped: boolean
}

// src/config → the package, which has the files when it is installed; in a checkout the workspace two folders above has them.
const packageFolder = fileURLToPath(new URL('../..', import.meta.url))
const installed = join(packageFolder, 'etc', 'hookmq.conf')
const checkout = join(packageFolder, '..', '..', 'etc', 'hookmq.conf')

/**
 * The file that was asked for; else etc/hookmq.conf in the working directory; else the one that came with the program. The file
 * that was asked for need not exist: whoever reads it says so.
 */
export function findConfig(asked: string | undefined, directory: string = process.cwd()): ConfigPlace {
  if (asked !== undefined) return placeOf(resolve(directory, asked), false)
  const own = join(directory, 'etc', 'hookmq.conf')
  const found = [own, installed, checkout].find((file) => existsSync(file))
  if (found === undefined) return { file: undefined, home: directory, shipped: false }
  return placeOf(found, found === installed && found !== own)
}

function placeOf(file: string, shipped: boolean): ConfigPlace {
  const folder = dirname(file)
  return { file, home: basename(folder) === 'etc' ? dirname(folder) : folder, shipped }
}
