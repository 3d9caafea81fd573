/**
 * npm run docs: writes docs/reference from the tables that the code uses. `--check` writes nothing and fails when a
 * page is not what the tables say.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configReference } from '@hookmq/config'
import { metricsReference, renderHooksReference } from '@hookmq/core/reference'
import { errorPages } from 'hookmq/reference'

const root = join(fileURLToPath(import.meta.url), '..', '..')

const pages: Readonly<Record<string, () => string>> = {
  'docs/reference/config.md': configReference,
  'docs/reference/hooks.md': renderHooksReference,
  'docs/reference/metrics.md': metricsReference,
  ...Object.fromEntries([...errorPages()].map(([name, text]) => [`docs/errors/${name}`, () => text])),
}

const check = process.argv.includes('--check')

for (const [path, render] of Object.entries(pages)) {
  const file = join(root, path)
  const current = existsSync(file) && readFileSync(file, 'utf8') === render()
  if (current) {
    console.log(`${path}: current`)
  } else if (check) {
    console.log(`${path}: not what the tables say; write it with: npm run docs`)
    process.exitCode = 1
  } else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, render())
    console.log(`${path}: written`)
  }
}
