import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import management from '@hookmq/plugin-management'
import { createBroker, type Logger } from 'hookmq'
import mqtt from 'mqtt'

// Every command of the page is run as it stands there, one after the other in one shell, and answers what the page says.
const page = readFileSync(fileURLToPath(new URL('../../docs/management-api.md', import.meta.url)), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'hookmq-docs-api-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Step {
  readonly command: string
  readonly kind: string
  readonly answer: string
}

const steps: Step[] = [...page.matchAll(/^```sh\n(.*?)^```\n\n```(json|text)\n(.*?)^```$/gms)].map((match) => ({
  command: match[1],
  kind: match[2],
  answer: match[3],
}))

const mark = '=== next ==='
const hasCurl = spawnSync('curl', ['--version']).status === 0

test('the commands of the page', { skip: hasCurl ? false : 'curl is not installed' }, async (scope) => {
  assert.equal(steps.length, page.match(/^```sh$/gm)?.length, 'each command is followed by its answer')
  let url = ''
  const quiet = (): void => {}
  const log: Logger = {
    debug: quiet,
    warn: quiet,
    error: quiet,
    info(_, fields) {
      if (fields?.listener === 'dashboard.listener.http') url = String(fields.address)
    },
    child: () => log,
  }
  const broker = await createBroker({
    log,
    listeners: [{ type: 'tcp' }],
    plugins: [{ plugin: management, config: { 'dashboard.listener.http': '0' } }],
  })
  scope.after(() => broker.stop(500))
  await broker.start()
  const client = await mqtt.connectAsync(`mqtt://${broker.listeners[0].address}`, {
    clientId: 'press-4',
    reconnectPeriod: 0,
  })
  scope.after(() => void client.end(true))
  await client.subscribeAsync('own')

  const script = steps.map(({ command }) => `${command}\necho; echo '${mark}'\n`).join('')
  const outputs = (await bash(script.replaceAll('http://127.0.0.1:18083', url))).split(`\n${mark}\n`)
  for (const [index, { command, kind, answer }] of steps.entries()) {
    const output = outputs[index].trim()
    if (kind === 'text') assert.equal(output, answer.trim(), command)
    else includes(JSON.parse(output), JSON.parse(answer), command)
  }
})

/** What the page shows is there; '…' stands for any text, and what it does not show does not matter. */
function includes(actual: unknown, shown: unknown, where: string): void {
  if (Array.isArray(shown)) {
    assert.ok(Array.isArray(actual) && actual.length === shown.length, `${where}: ${JSON.stringify(actual)}`)
    for (const [index, one] of shown.entries()) includes(actual[index], one, where)
  } else if (typeof shown === 'object' && shown !== null) {
    assert.ok(typeof actual === 'object' && actual !== null, `${where}: ${JSON.stringify(actual)}`)
    for (const [key, value] of Object.entries(shown)) includes((actual as Record<string, unknown>)[key], value, where)
  } else if (shown === '…') assert.ok(typeof actual === 'string' && actual !== '', where)
  else assert.deepEqual(actual, shown, where)
}

function bash(script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const shell = spawn('bash', ['-eu'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    shell.stdout.on('data', (chunk) => {
      output += chunk
    })
    shell.on('error', reject)
    shell.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`exit code ${code}: ${output}`))))
    shell.stdin.end(script)
  })
}
