export { LinearRegExp } from './linear-regexp.ts'
export { PatternError } from './syntax.ts'
