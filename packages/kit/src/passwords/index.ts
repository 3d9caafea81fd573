export { sameSecret } from './compare.ts'
export { type PasswordScheme, parsePasswordScheme } from './scheme.ts'
export { makeSecret, readSecret, type SecretKind, type StoredSecret, secretKinds, verifySecret } from './secret.ts'
