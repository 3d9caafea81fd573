export { type SysOptions, SysPublisher } from './sys-publisher.ts'
export { formatDatetime, formatUptime } from './uptime.ts'
