export type * from './frame.ts'
export type * from './packets.ts'
