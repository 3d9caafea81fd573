/** A provider of its own process, made with the SDK, that does what a script says. */
import { Server, ServerCredentials, status } from '@grpc/grpc-js'
import { type Hooks, ok, serve, silentLogger, stop } from '@hookmq/provider'
import type { FarCommand, FarEvent, FarScript } from './far-end.testing.ts'

const received: FarEvent[] = []
const held: (() => void)[] = []
let released = false
let loads = 0
let unloads = 0

function hookOf(script: FarScript, point: string): (subject: never, request: never) => unknown {
  return (subject: { readonly clientid?: string; readonly from?: string; readonly topic?: string }, request) => {
    const { topic } = request as { readonly topic?: string }
    const { clientinfo } = request as { readonly clientinfo?: { readonly clientid: string } }
    const where = topic ?? subject.topic
    const clientId = clientinfo?.clientid || subject.clientid || subject.from || ''
    received.push(where === undefined ? { point, clientId } : { point, clientId, topic: where })
    const answer = script.answers?.[point] ?? { do: 'continue' }
    switch (answer.do) {
      case 'continue':
        return undefined
      case 'hold':
        return released ? undefined : new Promise<void>((resolve) => held.push(resolve))
      case 'delay':
        return new Promise((resolve) => setTimeout(resolve, answer.milliseconds))
      case 'payload': {
        const change = { payload: answer.payload }
        return answer.stop === true ? stop(change) : ok(change)
      }
      case 'drop':
        return stop({ allowPublish: false })
      case 'allow':
      case 'deny':
        return stop(answer.do === 'allow')
      default:
        throw new Error('as the script says')
    }
  }
}

async function start(script: FarScript): Promise<void> {
  const hooks = Object.fromEntries(
    script.hooks.map(({ name, topics }) => {
      const handle = hookOf(script, name)
      return [name, topics === undefined ? handle : { topics, handle }]
    }),
  ) as Hooks
  const logger = {
    ...silentLogger,
    info: (text: string) => {
      if (text.includes(' unloaded ')) unloads++
      else if (text.includes(' loaded ')) loads++
    },
  }
  const { listen = 0, window, stream } = script
  const server = await serve(hooks, { listen, logger, window, stream, signals: false, grace: 200 })
  process.on('message', (command: FarCommand) => {
    if (command === 'release') {
      released = true
      for (const go of held.splice(0)) go()
    }
    if (command === 'close') void server.close().then(() => process.exit(0))
    else process.send?.({ received, loads, unloads, held: held.length, memory: process.memoryUsage().rss })
  })
  process.send?.({ port: server.port })
}

/** What the SDK does not do. */
function refuse(details: string): void {
  const server = new Server()
  const asIs = (bytes: Buffer): Buffer => bytes
  const method = {
    path: '/emqx.exhook.v3.HookProvider/OnProviderLoaded',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  }
  server.addService(
    { method },
    {
      method: (_call: unknown, reply: (error: object) => void) => reply({ code: status.FAILED_PRECONDITION, details }),
    },
  )
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, port) => process.send?.({ port }))
  process.on('message', () => process.send?.({ received, loads, unloads, held: 0, memory: 0 }))
}

process.once('message', (script: FarScript) => {
  if (script.refuseLoad === undefined) void start(script)
  else refuse(script.refuseLoad)
})
process.on('disconnect', () => process.exit(0))
