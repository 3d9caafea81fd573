export { Router, type RouterOptions } from './router.ts'
export type * from './types.ts'
