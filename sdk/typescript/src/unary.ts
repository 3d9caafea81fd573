import {
  type handleUnaryCall,
  type ServiceDefinition,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { create, type ExHookVersion, exhookCalls, exhookPath, fromBinary, toBinary, v3 } from '@hookmq/exhook-proto'
import { type HookTable, ignored } from './compile.ts'
import type { FailureLog } from './logger.ts'

const asIs = (bytes: Buffer): Buffer => bytes
const empty = Buffer.alloc(0)

export interface UnaryOptions {
  readonly table: HookTable
  readonly failures: FailureLog
  onLoaded(request: v3.ProviderLoadedRequest): void
  onUnloaded(request: v3.ProviderUnloadedRequest): void
}

/** The 21 calls of a version. v2 is a subset of v3 on the wire, so that both are read with the same types. */
export function hookProviderService(version: ExHookVersion): ServiceDefinition {
  return Object.fromEntries(
    exhookCalls.map(({ name }) => [
      name,
      {
        path: exhookPath(version, name),
        requestStream: false,
        responseStream: false,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    ]),
  )
}

export function hookProviderHandlers(options: UnaryOptions): UntypedServiceImplementation {
  const handlers: Record<string, handleUnaryCall<Buffer, Buffer>> = {}
  for (const [index, { name, valued }] of exhookCalls.entries()) {
    const hook = options.table[index + 1]
    handlers[name] = (call, callback) => {
      if (hook === undefined) return callback(null, valued ? ignored : empty)
      const failed = (error: unknown): void => {
        options.failures.failed(hook.name, error)
        const details = error instanceof Error ? error.message : String(error)
        callback({ code: status.UNKNOWN, details } satisfies Partial<ServiceError>)
      }
      const answered = (answer: Buffer | undefined): void => callback(null, answer ?? (valued ? ignored : empty))
      try {
        const answer = hook.run(call.request, 0, call.request.length, undefined)
        if (answer instanceof Promise) answer.then(answered, failed)
        else answered(answer)
      } catch (error) {
        failed(error)
      }
    }
  }
  const loaded = loadedResponse(options.table)
  handlers.OnProviderLoaded = (call, callback) => {
    options.onLoaded(fromBinary(v3.ProviderLoadedRequestSchema, call.request))
    callback(null, loaded)
  }
  handlers.OnProviderUnloaded = (call, callback) => {
    options.onUnloaded(fromBinary(v3.ProviderUnloadedRequestSchema, call.request))
    callback(null, empty)
  }
  return handlers
}

function loadedResponse(table: HookTable): Buffer {
  const hooks = table.flatMap((hook) => (hook === undefined ? [] : [{ name: hook.name, topics: [...hook.topics] }]))
  const response = create(v3.LoadedResponseSchema, {
    hooks: hooks.map((hook) => create(v3.HookSpecSchema, hook)),
  })
  return Buffer.from(toBinary(v3.LoadedResponseSchema, response))
}
