// Runs a program of this project on any Node from 18: installs what is missing, finds Node 24, hands over.
//
//   node scripts/run.mjs FILE [argument …]     FILE is relative to the project's folder
//   node scripts/run.mjs --setup               installs, prints the path of Node 24, ends
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { handOver } from './bootstrap/hand-over.mjs'
import { ensureInstalled } from './bootstrap/install.mjs'
import { findNode, isRightNode, NODE_MAJOR } from './bootstrap/installed.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

async function main([file, ...args]) {
  if (file === undefined) throw new Error('usage: node scripts/run.mjs FILE [argument …]')
  await ensureInstalled(root)
  const node = findNode(root)
  if (node === undefined) {
    throw new Error(
      `this is Node ${process.versions.node} and there is no packaged Node ${NODE_MAJOR} for ` +
        `${process.platform} ${process.arch}: install Node ${NODE_MAJOR} or later and start again`,
    )
  }
  if (file === '--setup') {
    process.stdout.write(`${node}\n`)
    return
  }
  const program = resolve(root, file)
  if (!existsSync(program)) throw new Error(`${program} does not exist`)
  if (isRightNode(process.versions.node)) {
    // The same process goes on: no second one between a supervisor and the broker.
    process.argv = [process.execPath, program, ...args]
    await import(pathToFileURL(program).href)
    return
  }
  process.exitCode = await handOver(node, [program, ...args])
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`hookmq: ${error.message}\n`)
  process.exitCode = 1
})
