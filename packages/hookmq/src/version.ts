import { createRequire } from 'node:module'

/** Of this package; the same text that $SYS shows. */
export const version: string = (createRequire(import.meta.url)('../package.json') as { version: string }).version
