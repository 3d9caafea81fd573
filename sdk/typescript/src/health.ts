import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'

const asIs = (bytes: Buffer): Buffer => bytes
const methodAt = (name: string, responseStream: boolean) => ({
  path: `/grpc.health.v1.Health/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
})

/** grpc.health.v1, for probes of containers and load balancers. One status for all services. */
export const healthService: ServiceDefinition = { check: methodAt('Check', false), watch: methodAt('Watch', true) }

// HealthCheckResponse: field 1, SERVING = 1, NOT_SERVING = 2.
const serving = Buffer.from([0x08, 1])
const notServing = Buffer.from([0x08, 2])

export class Health {
  readonly #watchers = new Set<ServerWritableStream<Buffer, Buffer>>()
  #serving = true

  get handlers(): UntypedServiceImplementation {
    const check: handleUnaryCall<Buffer, Buffer> = (_call, callback) => callback(null, this.#status)
    const watch: handleServerStreamingCall<Buffer, Buffer> = (call) => {
      this.#watchers.add(call)
      call.on('cancelled', () => this.#watchers.delete(call))
      call.on('close', () => this.#watchers.delete(call))
      call.write(this.#status)
    }
    return { check, watch }
  }

  /** Says so to those who watch, and lets them go. */
  stop(): void {
    this.#serving = false
    for (const call of this.#watchers) {
      call.write(notServing)
      call.end()
    }
    this.#watchers.clear()
  }

  get #status(): Buffer {
    return this.#serving ? serving : notServing
  }
}
