/** The broker's own tables, and the reference pages that they make. For scripts/docs.ts, and for the tests that prove the tables. */
export { renderHooksReference } from './hooks/reference.ts'
export { type VerdictRow, verdictTable, type Wire } from './hooks/verdict-table.ts'
export { metricsReference } from './metrics/reference.ts'
