// Writes docs/reference/hooks.md from the tables that the broker runs on.
import { writeFileSync } from 'node:fs'
import { renderHooksReference } from '../packages/core/src/hooks/reference.ts'

writeFileSync(new URL('../docs/reference/hooks.md', import.meta.url), renderHooksReference())
