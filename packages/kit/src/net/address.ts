import { isIPv6 } from 'node:net'

/** Where a listener listens: a port of a host (0 picks a free port), or the path of a Unix socket. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  /** `mode`: permissions of the socket file, such as 0o660. */
  | { readonly path: string; readonly mode?: number }

/** `::ffff:10.1.2.3`, as a dual-stack socket reports an IPv4 peer, becomes `10.1.2.3`, so that rules about addresses match. */
export function normalizeAddress(address: string): string {
  if (!address.startsWith('::ffff:') && !address.startsWith('::FFFF:')) return address
  const rest = address.slice(7)
  if (rest.includes('.')) return rest
  const parts = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(rest)
  if (parts === null) return address
  const high = Number.parseInt(parts[1], 16)
  const low = Number.parseInt(parts[2], 16)
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

/** `127.0.0.1:1883`, `[::1]:1883`, or the path of the socket. */
export function formatAddress(address: ListenAddress): string {
  if ('path' in address) return address.path
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** @throws Error when a text is no address */
export function toListenAddress(address: ListenAddress | string): ListenAddress {
  return typeof address === 'string' ? parseListenAddress(address) : address
}

/**
 * Reads `1883` (loopback), `127.0.0.1:1883`, `localhost:1883`, `[::1]:1883`, `/run/hookmq.sock`, `unix:relative.sock`.
 * @throws Error that names the text and the forms that are understood.
 */
export function parseListenAddress(text: string): ListenAddress {
  if (text.startsWith('unix:')) return { path: text.slice(5) }
  if (text.startsWith('/') || text.startsWith('./')) return { path: text }
  const parts = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text)
  const port = parts === null ? Number.NaN : Number(parts[3])
  if (parts === null || !(port <= 65535)) {
    throw new Error(
      `"${text}" is not an address to listen on; expected port, host:port, [IPv6]:port, or the path of a Unix socket`,
    )
  }
  return { host: parts[1] ?? parts[2] ?? '127.0.0.1', port }
}
