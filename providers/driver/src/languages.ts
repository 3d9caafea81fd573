import { java } from './java/language.ts'
import type { Language } from './language.ts'
import { python } from './python/language.ts'

/** A new language is one entry here. */
const languages: readonly Language[] = [python, java]

export const languageNames: readonly string[] = languages.flatMap(({ names }) => names)

export function languageOf(driver: string): Language | undefined {
  return languages.find(({ names }) => names.includes(driver))
}
