import { TokenBucket } from './token-bucket.ts'

/** 0 = no limit. */
export interface ConnectionLimits {
  readonly maxConnections?: number
  /** New connections per second; as many may come at once. */
  readonly maxConnectRate?: number
  readonly maxConnectionsPerAddress?: number
}

/** Connections that a listener closed before the broker saw them, by cause. */
export interface RefusedConnections {
  maxConnections: number
  maxConnectRate: number
  maxConnectionsPerAddress: number
  /** No, a broken, or a late PROXY protocol header. */
  proxyProtocol: number
  /** The TLS or WebSocket handshake failed. */
  handshake: number
}

/** Counts the connections of one listener and says which new one is too many. */
export class ConnectionGate {
  readonly refused: RefusedConnections = {
    maxConnections: 0,
    maxConnectRate: 0,
    maxConnectionsPerAddress: 0,
    proxyProtocol: 0,
    handshake: 0,
  }
  readonly maxConnections: number
  current = 0
  private readonly maxPerAddress: number
  private readonly bucket: TokenBucket | undefined
  private readonly addresses = new Map<string, number>()

  constructor(limits: ConnectionLimits, now?: () => number) {
    this.maxConnections = limits.maxConnections ?? 0
    this.maxPerAddress = limits.maxConnectionsPerAddress ?? 0
    const rate = limits.maxConnectRate ?? 0
    this.bucket = rate > 0 ? new TokenBucket(rate, Math.max(1, rate), now) : undefined
  }

  /** Counts a new connection; every true needs one `leave`. */
  enter(): boolean {
    if (this.maxConnections > 0 && this.current >= this.maxConnections) {
      this.refused.maxConnections += 1
      return false
    }
    if (this.bucket !== undefined && !this.bucket.take()) {
      this.refused.maxConnectRate += 1
      return false
    }
    this.current += 1
    return true
  }

  /** Counts a connection that another process of this broker has let in. */
  adopt(): void {
    this.current += 1
  }

  leave(): void {
    this.current -= 1
  }

  /** Counts a connection for its address (behind a proxy: the client's); every true needs one `leaveAddress`. */
  enterAddress(address: string): boolean {
    if (this.maxPerAddress === 0) return true
    const count = this.addresses.get(address) ?? 0
    if (count >= this.maxPerAddress) {
      this.refused.maxConnectionsPerAddress += 1
      return false
    }
    this.addresses.set(address, count + 1)
    return true
  }

  leaveAddress(address: string): void {
    const count = this.addresses.get(address) ?? 0
    if (count > 1) this.addresses.set(address, count - 1)
    else this.addresses.delete(address)
  }
}
