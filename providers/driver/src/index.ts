export type * from './codec.ts'
export type * from './language.ts'
export * from './value.ts'
