export * from './attach.ts'
export * from './handshake.ts'
export * from './ws-listener.ts'
