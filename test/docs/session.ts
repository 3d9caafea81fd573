import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestScope } from '../support/broker.ts'
import { until } from '../support/wait.ts'
import { emptyFolder, projectRoot } from '../templates/copy.ts'
import { type Block, commandsOf, matches, wordsOf } from './blocks.ts'

const main = join(projectRoot, 'packages/hookmq/src/main.ts')

interface Program {
  readonly child: ChildProcess
  output: string
  readonly ended: Promise<number | null>
}

/**
 * Plays a page of the documentation as a reader would: its `console` blocks are typed, its `diff FILE` blocks are edited, a file block (`ini FILE`, `ts FILE`)
 * is written, a `text` block has to appear in the terminal where `hookmq sub` runs, and the lines of a `log` block in the broker's log. Ports and folders are the test's own.
 */
export class Session {
  readonly folder: string
  readonly #scope: TestScope
  #broker: Program | undefined
  #port = ''
  #subscriber: Program | undefined
  #shown = 0

  constructor(scope: TestScope) {
    this.folder = emptyFolder(scope)
    this.#scope = scope
  }

  async play(blocks: readonly Block[]): Promise<void> {
    for (const block of blocks) {
      try {
        await this.#play(block)
      } catch (error) {
        const log = this.#broker === undefined ? '' : `\n--- the broker said\n${this.#broker.output}`
        throw new Error(`${block.place}: ${error instanceof Error ? error.message : error}${log}`, { cause: error })
      }
    }
  }

  async #play({ language, file, text }: Block): Promise<void> {
    if (language === 'console') for (const { command, output } of commandsOf(text)) await this.#type(command, output)
    else if (language === 'diff' && file !== undefined) await this.#edit(file, (before) => patched(before, text))
    else if (file !== undefined) await this.#edit(file, () => text)
    else if (language === 'log') await this.#isLogged(text)
    else if (language === 'text') await this.#appears(text)
  }

  async #type(command: string, expected: string): Promise<void> {
    const [program, ...args] = wordsOf(command)
    if (program === 'bin/hookmq' && args[0] === 'start') return this.#start(args, expected)
    if (program === 'bin/hookmq' && args[0] === 'sub') return this.#subscribe(args)
    const run = this.#run(...this.#words(program, args))
    await run.ended
    if (!matches(run.output, expected)) {
      throw new Error(`$ ${command}\nprinted:\n${run.output}\nand not:\n${expected}`)
    }
  }

  /** What is really run: the same, on the test's ports and folders. */
  #words(program: string, [first, ...rest]: string[]): string[] {
    const place = ['--data-dir', join(this.folder, 'data')]
    if (program === 'node_modules/.bin/node') return [first, ...rest]
    if (program === 'bin/emqctl' || program === 'bin/emqx_ctl') return [main, 'ctl', ...place, first, ...rest]
    if (program !== 'bin/hookmq') throw new Error(`the session cannot run ${program}`)
    if (first === 'ctl') return [main, first, ...place, ...rest]
    if (first === 'pub' || first === 'sub') return [main, first, '-p', this.#port, ...rest]
    return [main, first, ...rest]
  }

  async #start([, ...args]: string[], expected: string): Promise<void> {
    const config = join(this.folder, 'etc', 'hookmq.conf')
    if (!existsSync(config)) {
      mkdirSync(join(dirname(config), 'plugins'), { recursive: true })
      writeFileSync(config, 'acl_nomatch = allow\n')
    }
    const own = ['listener.tcp.external', 'listener.ws.external', 'plugin.management.dashboard.listener.http']
    const free = own.flatMap((key) => ['--set', `${key}=127.0.0.1:0`])
    const program = this.#run(
      main,
      'start',
      '--config',
      config,
      '--data-dir',
      join(this.folder, 'data'),
      ...free,
      ...args,
    )
    this.#broker = program
    const ready = (): boolean => /^ready/m.test(program.output)
    await until(() => ready() || program.child.exitCode !== null, 'ready', 30_000)
    if (!ready()) throw new Error(`the broker did not start:\n${program.output}`)
    this.#port = /^listening tcp:external on 127\.0\.0\.1:(\d+)$/m.exec(program.output)?.[1] ?? ''
    if (expected !== '' && !matches(program.output, `…\n${expected}\n…`))
      throw new Error(`it did not print ${expected}`)
  }

  async #subscribe(args: string[]): Promise<void> {
    this.#subscriber?.child.kill()
    this.#subscriber = this.#run(...this.#words('bin/hookmq', args))
    this.#shown = 0
    const subscribed = () => this.#ctl('subscriptions', 'list').then((output) => output.includes(' -> '))
    while (!(await subscribed())) if (this.#subscriber.child.exitCode !== null) throw new Error(this.#subscriber.output)
  }

  async #ctl(...words: string[]): Promise<string> {
    const run = this.#run(...this.#words('bin/emqctl', words))
    await run.ended
    return run.output
  }

  async #appears(text: string): Promise<void> {
    const subscriber = this.#subscriber
    if (subscriber === undefined) throw new Error('nobody subscribes')
    const rest = (): string => subscriber.output.slice(this.#shown)
    await until(() => rest().split('\n').length > text.trimEnd().split('\n').length, text, 15_000).catch(() => {})
    if (!matches(rest(), text)) throw new Error(`the subscriber shows:\n${rest()}\nand not:\n${text}`)
    this.#shown = subscriber.output.length
  }

  async #isLogged(text: string): Promise<void> {
    for (const line of text.trimEnd().split('\n'))
      await until(() => this.#broker?.output.includes(line) === true, `the broker to log ${line}`)
  }

  /** When the reloader is loaded, the reader waits until it has seen the change. */
  async #edit(file: string, change: (before: string) => string): Promise<void> {
    const path = join(this.folder, file)
    const reloads = (): number => (this.#broker?.output.match(/plugin reloaded/g) ?? []).length
    const before = reloads()
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, change(existsSync(path) ? readFileSync(path, 'utf8') : ''))
    if (this.#broker === undefined || this.#broker.child.exitCode !== null) return
    if (file.endsWith('.test.ts')) return
    if (!/Plugin\(reloader,.*active=true/.test(await this.#ctl('plugins', 'list'))) return
    await until(() => reloads() > before, `a reload after ${file} was saved`, 30_000)
  }

  #run(...args: string[]): Program {
    const environment: NodeJS.ProcessEnv = { PATH: process.env.PATH, TZ: 'UTC' }
    const child = spawn(process.execPath, args, {
      cwd: this.folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    const program: Program = { child, output: '', ended }
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        program.output += text
      })
    }
    this.#scope.after(async () => {
      child.kill('SIGKILL')
      await ended
    })
    return program
  }
}

/** Lines with `-` are replaced by those with `+`; what is around them must be there as well. */
function patched(before: string, diff: string): string {
  const lines = diff.split('\n').filter((line) => line !== '')
  const old = lines.filter((line) => !line.startsWith('+')).map((line) => line.slice(1))
  const changed = lines.filter((line) => !line.startsWith('-')).map((line) => line.slice(1))
  if (!before.includes(old.join('\n'))) throw new Error(`the file has not:\n${old.join('\n')}\nbut:\n${before}`)
  return before.replace(old.join('\n'), () => changed.join('\n'))
}
