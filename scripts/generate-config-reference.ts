/** Writes docs/reference/config.md from the schema of packages/config. */
import { writeFileSync } from 'node:fs'
import { configReference } from '@hookmq/config'

const page = new URL('../docs/reference/config.md', import.meta.url)
writeFileSync(page, configReference())
console.log(`wrote ${page.pathname}`)
