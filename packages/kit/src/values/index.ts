export * from './address.ts'
export * from './values.ts'
