import { Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js'
import { create, type ExHookVersion, exhookPath, fromBinary, stream, toBinary, v3 } from '@hookmq/exhook-proto'

type Init = NonNullable<Parameters<typeof create<typeof stream.BrokerFrameSchema>>[1]>

/** Plays the broker, with nothing but the proto: what it sends and reads is encoded by @bufbuild/protobuf. */
export class TestBroker {
  readonly #client: Client

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure())
  }

  unary(path: string, request: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        Buffer.from(request),
        (error: ServiceError | null, reply?: Buffer) => (error === null ? resolve(reply as Buffer) : reject(error)),
      )
    })
  }

  async loaded(version: ExHookVersion = 'v3'): Promise<v3.LoadedResponse> {
    const request = create(v3.ProviderLoadedRequestSchema, {
      broker: { version: '1.0', sysdescr: 'Test' },
      meta: { node: 'test@127.0.0.1' },
    })
    const bytes = toBinary(v3.ProviderLoadedRequestSchema, request)
    return fromBinary(v3.LoadedResponseSchema, await this.unary(exhookPath(version, 'OnProviderLoaded'), bytes))
  }

  async publish(version: ExHookVersion, message: MessageInit): Promise<v3.ValuedResponse> {
    const request = create(v3.MessagePublishRequestSchema, { message, meta: { node: 'test@127.0.0.1' } })
    const bytes = toBinary(v3.MessagePublishRequestSchema, request)
    return fromBinary(v3.ValuedResponseSchema, await this.unary(exhookPath(version, 'OnMessagePublish'), bytes))
  }

  open(): TestStream {
    return new TestStream(
      this.#client.makeBidiStreamRequest(
        '/hookmq.exhook.v1.HookStream/Exchange',
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
      ),
    )
  }

  close(): void {
    this.#client.close()
  }
}

export type MessageInit = {
  readonly topic?: string
  readonly payload?: Uint8Array
  readonly qos?: number
  readonly from?: string
  readonly timestamp?: bigint
  readonly headers?: Record<string, string>
}

export class TestStream {
  readonly call: ClientDuplexStream<Buffer, Buffer>
  readonly frames: stream.ProviderFrame[] = []
  /** How the call ended: undefined while it has not. */
  ended: { readonly code: number; readonly details: string } | undefined
  #wake: (() => void)[] = []

  constructor(call: ClientDuplexStream<Buffer, Buffer>) {
    this.call = call
    call.on('data', (bytes: Buffer) => {
      this.frames.push(fromBinary(stream.ProviderFrameSchema, bytes))
      this.#changed()
    })
    call.on('error', () => {})
    call.on('status', ({ code, details }) => {
      this.ended = { code, details }
      this.#changed()
    })
  }

  send(init: Init): void {
    this.call.write(Buffer.from(toBinary(stream.BrokerFrameSchema, create(stream.BrokerFrameSchema, init))))
  }

  /** Ids that have been finished, in the order of the answers. */
  get finished(): bigint[] {
    return this.frames.flatMap((frame) => [
      ...frame.done.flatMap(({ first, count }) =>
        Array.from({ length: Math.max(1, count) }, (_, index) => first + BigInt(index)),
      ),
      ...frame.verdicts.map(({ id }) => id),
    ])
  }

  get granted(): number {
    return this.frames.reduce((sum, { grant, hello }) => sum + grant + (hello?.grant ?? 0), 0)
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake.push(resolve))
  }

  #changed(): void {
    const wake = this.#wake
    this.#wake = []
    for (const resolve of wake) resolve()
  }
}
