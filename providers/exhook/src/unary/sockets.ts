import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import {
  connect as connectTls,
  createSecureContext,
  type DetailedPeerCertificate,
  type SecureContext,
  type SecureVersion,
  type TLSSocket,
} from 'node:tls'
import type { ServerSettings, SslSettings } from '../settings.ts'
import type { ServerAddress } from '../url.ts'

/** Milliseconds after which the operating system begins to look whether an idle connection is still there. */
const keepAliveDelay = 60_000

/**
 * What opens the sockets of a server. Certificates are read now.
 * @throws Error with the key and the file that cannot be used
 */
export function socketOpener(settings: ServerSettings, address: ServerAddress): () => Socket {
  const { socket: options, ssl } = settings
  const { host, port } = address
  const prepare = (socket: Socket): Socket =>
    socket.setNoDelay(options.nodelay).setKeepAlive(options.keepalive, keepAliveDelay)
  if (address.scheme === 'http') return () => prepare(connectTcp({ host, port }))
  const secureContext = secureContextOf(settings.name, ssl)
  const servername = nameFor(ssl, host)
  return () => {
    const socket = connectTls({
      host,
      port,
      secureContext,
      servername: isIP(servername) === 0 ? servername : '',
      ALPNProtocols: ['h2'],
      rejectUnauthorized: ssl.verify === 'verify_peer',
      // Without a name to check there is only the chain; an address is looked up in the certificate as it is.
      ...(servername === '' ? { checkServerIdentity: () => undefined } : {}),
    })
    if (ssl.verify === 'verify_peer') socket.once('secureConnect', () => checkDepth(socket, ssl.depth))
    return prepare(socket)
  }
}

function nameFor({ serverNameIndication: name }: SslSettings, host: string): string {
  if (name === 'disable') return ''
  return name ?? host
}

const bounds: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

function secureContextOf(server: string, ssl: SslSettings): SecureContext {
  const places = ssl.versions.map((version) => bounds.findIndex((one) => one.toLowerCase() === version))
  try {
    return createSecureContext({
      ca: pem(server, 'cacertfile', ssl.cacertfile),
      cert: pem(server, 'certfile', ssl.certfile),
      key: pem(server, 'keyfile', ssl.keyfile),
      passphrase: ssl.password,
      ciphers: ssl.ciphers,
      minVersion: bounds[Math.min(...places)],
      maxVersion: bounds[Math.max(...places)],
    })
  } catch (error) {
    if (error instanceof CertificateFileError) throw error
    throw new Error(`exhook.server.${server}.ssl: ${error instanceof Error ? error.message : String(error)}`)
  }
}

class CertificateFileError extends Error {}

function pem(server: string, key: string, value: string | undefined): string | Buffer | undefined {
  if (value === undefined || value.includes('-----BEGIN ')) return value
  try {
    return readFileSync(value)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error)
    throw new CertificateFileError(`exhook.server.${server}.ssl.${key}: ${value}: ${reason}`)
  }
}

/** OpenSSL's own limit is not within reach from here. */
function checkDepth(socket: TLSSocket, depth: number): void {
  let between = 0
  let one: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (one?.issuerCertificate !== undefined && one.issuerCertificate !== one) {
    one = one.issuerCertificate
    if (one.issuerCertificate !== one) between++
  }
  if (between > depth)
    socket.destroy(
      new Error(`the certificate chain has ${between} certificates in between, more than ssl.depth = ${depth}`),
    )
}
