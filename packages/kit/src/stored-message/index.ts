export { readStoredMessage, type StoredMessage, storeMessage } from './stored-message.ts'
