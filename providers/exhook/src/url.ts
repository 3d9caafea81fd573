/** Where a server is. */
export interface ServerAddress {
  readonly scheme: 'http' | 'https'
  /** Without the brackets of IPv6. */
  readonly host: string
  readonly port: number
  /** As it stands in the url: `127.0.0.1:9000`, `[::1]:9000`. */
  readonly authority: string
}

const form = /^(https?):\/\/(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+):(\d{1,5})\/?$/i

/** undefined: not `http://HOST:PORT` or `https://HOST:PORT`. */
export function readServerUrl(url: string): ServerAddress | undefined {
  const found = form.exec(url)
  if (found === null) return undefined
  const [, scheme, host, digits] = found
  const port = Number(digits)
  if (port < 1 || port > 65_535) return undefined
  return {
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
    host: host.replace(/^\[|\]$/g, ''),
    port,
    authority: `${host}:${port}`,
  }
}
