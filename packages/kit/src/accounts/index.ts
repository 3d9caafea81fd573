export { Accounts, type AccountsInit, type PasswordCheck } from './accounts.ts'
export { accountAuthenticator } from './authenticator.ts'
export { type AccountCommandInit, accountCommand } from './commands.ts'
export { TooManyWaiting, Turns } from './turns.ts'
