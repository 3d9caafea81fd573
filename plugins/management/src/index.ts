export { managementPlugin as default, managementPlugin } from './plugin.ts'
