import { cpSync, existsSync, globSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HookmqError } from '../errors.ts'

/** What the template is called, wherever its name stands. */
const placeholder = 'my-plugin'

// Part of the names of files, packages and settings: what all of them can have.
const usable = /^[a-z][a-z0-9_-]{0,62}$/

/** What a plugin can be written in, with the template that is copied for it. */
const templates = { typescript: 'plugin', python: 'provider-python', java: 'provider-java' } as const

export type PluginLanguage = keyof typeof templates

// What tests and builds leave behind in a template is not part of it.
const leftOut = new Set(['node_modules', '__pycache__', 'target'])

/** Where the packages for other languages are: a published driver brings them along, a checkout has them in `sdk`. */
const sdkFolders: Readonly<Record<Exclude<PluginLanguage, 'typescript'>, readonly string[]>> = {
  python: ['../python', '../../../sdk/python'],
  java: ['../java', '../../../sdk/java'],
}

/** The folder that authors of hooks install. */
export function sdkFolder(language: Exclude<PluginLanguage, 'typescript'>): string {
  const driver = import.meta.resolve('@hookmq/provider-driver')
  const places = sdkFolders[language].map((path) => fileURLToPath(new URL(path, driver)))
  return places.find((place) => existsSync(place)) ?? places[0] ?? ''
}

/**
 * Copies the template of a plugin, or of hooks in another language, to the folder NAME in `parent`. Returns the new files, relative to `parent`.
 * Throws a HookmqError when the name will not do or the folder is there already; nothing is written then.
 */
export function newPlugin(
  name: string,
  parent: string = process.cwd(),
  language: PluginLanguage = 'typescript',
): string[] {
  if (!usable.test(name))
    throw new HookmqError(
      'PLUGIN_NAME',
      `'${name}' cannot be a plugin's name; expected a small letter, then up to 62 small letters, digits, '-' and '_'`,
    )
  const folder = resolve(parent, name)
  if (existsSync(folder))
    throw new HookmqError('PLUGIN_NAME', `${folder} is there already; choose another name, or remove it`)
  const source = templateFolder(templates[language])
  cpSync(source, folder, { recursive: true, filter: (path) => !leftOut.has(basename(path)) })
  const words: readonly (readonly [string, string])[] = [
    [placeholder, name],
    ...(language === 'typescript'
      ? []
      : ([
          ['PLUGIN_FOLDER', folder],
          ['SDK_FOLDER', sdkFolder(language)],
        ] as const)),
  ]
  const files: string[] = []
  for (const path of globSync('**/*', { cwd: folder }).sort()) {
    const copied = join(folder, path)
    if (!statSync(copied).isFile()) continue
    let text = readFileSync(copied, 'utf8')
    for (const [word, value] of words) text = text.replaceAll(word, () => value)
    writeFileSync(copied, text)
    const named = join(dirname(copied), basename(copied).replaceAll(placeholder, name))
    renameSync(copied, named)
    files.push(relative(parent, named))
  }
  return files
}

function templateFolder(template: string): string {
  // src/plugins or dist/plugins → the package; in a checkout the templates are beside the packages.
  const own = fileURLToPath(new URL('../..', import.meta.url))
  const places = [join(own, 'templates', template), join(own, '..', '..', 'templates', template)]
  const found = places.find((place) => existsSync(place))
  if (found === undefined) throw new Error(`the template of a plugin is missing: ${places.join(', ')}`)
  return found
}
