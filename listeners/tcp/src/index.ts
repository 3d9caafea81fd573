export * from './attach.ts'
export * from './tcp-listener.ts'
