export { editDistance, type FoundKey, joinKey, type KeySpelling, KeyTable, splitKey } from './key-table.ts'
export { expectedSetting, readSetting, type SettingValue } from './read.ts'
export { createSettings } from './settings.ts'
