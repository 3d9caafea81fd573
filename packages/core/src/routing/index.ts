export { Router } from './router.ts'
export type * from './types.ts'
