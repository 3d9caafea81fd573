/** For whoever compiles handlers in Java: the archives, in a checkout built when they are first asked for. */
export { compileArchives, driverArchive, findArchives, modernArchive } from './archives.ts'
export { findProgram } from './command.ts'
export { java } from './language.ts'
