export * from './tls-listener.ts'
