/** The status codes of gRPC, by name. */
export const GrpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const

const names = new Map<number, string>(Object.entries(GrpcStatus).map(([name, code]) => [code, name]))

/** A call that did not end with OK. `code`: one of `GrpcStatus`, or whatever else the server sent. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code: number
  /** Said by the far end itself; false: by this side, because of what became of the connection or of the reply. */
  readonly fromServer: boolean

  constructor(code: number, details: string, fromServer = false) {
    super(`${names.get(code) ?? `status ${code}`}: ${details}`)
    // It says all there is to say: where in this program the answer was read helps nobody.
    this.stack = undefined
    this.code = code
    this.fromServer = fromServer
  }
}

/** The status that `grpc-status` says; undefined when it says none that is a number. */
export function readStatus(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** `grpc-message` is percent-encoded; broken escapes stay as they are. At most 1000 characters of it are kept. */
export function readStatusMessage(text: string | undefined): string {
  if (text === undefined) return ''
  const short = text.slice(0, 1000)
  try {
    return decodeURIComponent(short)
  } catch {
    return short
  }
}

/** For a reply without grpc-status, such as one of a proxy or of a web server. */
export function statusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return GrpcStatus.INTERNAL
    case 401:
      return GrpcStatus.UNAUTHENTICATED
    case 403:
      return GrpcStatus.PERMISSION_DENIED
    case 404:
      return GrpcStatus.UNIMPLEMENTED
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcStatus.UNAVAILABLE
    default:
      return GrpcStatus.UNKNOWN
  }
}

/** For a stream that the far end reset, by its HTTP/2 error code. */
export function statusOfReset(code: number): number {
  switch (code) {
    case 7: // REFUSED_STREAM
      return GrpcStatus.UNAVAILABLE
    case 8: // CANCEL
      return GrpcStatus.CANCELLED
    case 11: // ENHANCE_YOUR_CALM
      return GrpcStatus.RESOURCE_EXHAUSTED
    case 12: // INADEQUATE_SECURITY
      return GrpcStatus.PERMISSION_DENIED
    default:
      return GrpcStatus.INTERNAL
  }
}
