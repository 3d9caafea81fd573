export { SysPublisher } from './sys-publisher.ts'
