import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { SettingFlags } from '../config/read.ts'
import { HookmqError } from '../errors.ts'
import { addSettingOptions } from './start.ts'

const examples = `
Examples:
  hookmq store check --data-dir /var/lib/hookmq
  hookmq store backup /backups/monday.db
  hookmq store compact
  hookmq store export everything.jsonl
  hookmq store import everything.jsonl --data-dir /var/lib/new

The store is hookmq.db in the data folder: give the same --data-dir, --config or --set node.data_dir as to 'start'. check,
backup and export also work while the broker runs. To go back to a backup, stop the broker, put the backup in the place of hookmq.db, and
remove hookmq.db-wal and hookmq.db-shm.

Exit code: 0 when it was done and the store is sound, else 1.`

/** `hookmq store …`: what can be done to the file of the durable store. */
export function addStore(program: Command): void {
  const store = program
    .command('store')
    .description('check, copy, compact, export or import what the broker has stored')
    .helpOption('--help', 'show this help')
    .addHelpText('after', examples)
  addSettingOptions(store.command('check'))
    .description('look through the whole file for damage')
    .action(async (flags: SettingFlags) => {
      const { file, run } = await open(flags)
      const faults = run(({ checkStore }) => checkStore(file))
      for (const fault of faults) process.stderr.write(`${file}: ${fault}\n`)
      if (faults.length > 0) {
        throw new HookmqError('STORE_UNUSABLE', `${file}: damaged; stop the broker and put a backup in its place`)
      }
      process.stdout.write(`ok ${file}\n`)
    })
  addSettingOptions(store.command('backup'))
    .description('write what is stored now into a new file')
    .argument('<file>', 'the new file; it must not exist')
    .action(async (target: string, flags: SettingFlags) => {
      const { file, run } = await open(flags)
      run(({ backupStore }) => backupStore(file, resolve(target)))
      process.stdout.write(`${resolve(target)}\n`)
    })
  addSettingOptions(store.command('compact'))
    .description('make the file as small as what is in it; the broker must not be running')
    .action(async (flags: SettingFlags) => {
      const { file, dataDir, run } = await open(flags)
      const { lockDataDir } = await import('../control/lock.ts')
      const lock = lockDataDir(dataDir)
      try {
        run(({ compactStore }) => compactStore(file))
      } finally {
        lock.release()
      }
      process.stdout.write(`ok ${file}\n`)
    })
  addTransfer(store)
}

function addTransfer(store: Command): void {
  addSettingOptions(store.command('export'))
    .description('write what is stored now into a new text file: one line of JSON for each row')
    .argument('<file>', 'the new file; it must not exist')
    .action(async (target: string, flags: SettingFlags) => {
      const { file, run } = await open(flags)
      const rows = run(({ exportStore }) => exportStore(file, resolve(target)))
      process.stdout.write(`${rows} rows ${resolve(target)}\n`)
    })
  addSettingOptions(store.command('import'))
    .description('fill a new store with what export wrote; the broker must not be running')
    .argument('<file>', 'what export wrote')
    .action(async (source: string, flags: SettingFlags) => {
      const { file, dataDir, run } = await open(flags)
      const { lockDataDir } = await import('../control/lock.ts')
      const lock = lockDataDir(dataDir)
      try {
        const rows = run(({ importStore }) => importStore(file, resolve(source)))
        process.stdout.write(`${rows} rows ${file}\n`)
      } finally {
        lock.release()
      }
    })
}

type Maintenance = typeof import('@hookmq/store-sqlite')

interface Opened {
  readonly file: string
  readonly dataDir: string
  /** Says what is wrong with the store as errors of the command line are said. */
  run<Result>(work: (maintenance: Maintenance) => Result): Result
}

async function open(flags: SettingFlags): Promise<Opened> {
  const [{ readConfig }, { storeFile, unusable }, maintenance] = await Promise.all([
    import('../config/read.ts'),
    import('../broker/store.ts'),
    import('@hookmq/store-sqlite'),
  ])
  const { dataDir } = readConfig(flags)
  return {
    dataDir,
    file: storeFile(dataDir),
    run(work) {
      try {
        return work(maintenance)
      } catch (error) {
        throw unusable(error)
      }
    },
  }
}
