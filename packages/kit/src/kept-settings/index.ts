export { keepSettings, readKeptSettings } from './kept-settings.ts'
