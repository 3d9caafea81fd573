export { compareKeys, storableKey, storableValue } from './stored-value.ts'
