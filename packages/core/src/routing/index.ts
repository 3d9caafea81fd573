export { Router, type RouterOptions } from './router.ts'
export { parseShared, type Share } from './share.ts'
export { hasWildcard, topicMatches } from './topic-match.ts'
export type * from './types.ts'
