export { type AclFileOptions, type AclFilePlugin, createAclFilePlugin, default } from './plugin.ts'
export { type AclRules, type Decision, parseAcl } from './rules.ts'
