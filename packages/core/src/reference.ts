/** The reference pages that the broker's own tables make. For scripts/docs.ts. */
export { renderHooksReference } from './hooks/reference.ts'
export { metricsReference } from './metrics/reference.ts'
