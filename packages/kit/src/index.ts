export * from './net/index.ts'
export * from './placeholders.ts'
export * from './terms/index.ts'
export * from './values/index.ts'
