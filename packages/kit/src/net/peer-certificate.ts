import type { TLSSocket } from 'node:tls'
import type { PeerCertificate } from '@hookmq/api'

/** The verified certificate of the client, if it sent one. */
export function peerCertificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  return { commonName: commonNameOf(certificate.toLegacyObject().subject), subject: toRfc2253(certificate.subject) }
}

function commonNameOf(subject: NodeJS.Dict<string | string[]> | undefined): string | undefined {
  const name = subject?.CN
  // The last is the most specific one.
  return Array.isArray(name) ? name.at(-1) : name
}

/**
 * Node gives a line per relative name, from the most general to the most specific, its values escaped as RFC 2253 wants it; parts of
 * one relative name are joined by ' + '. RFC 2253 writes the most specific first, and joins with ',' and '+'.
 */
function toRfc2253(lines: string): string {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .reverse()
    .map((line) => line.replaceAll(/(?<!\\) \+ (?=[A-Za-z][A-Za-z0-9.-]*=|\d+(?:\.\d+)+=)/g, '+'))
    .join(',')
}

/**
 * Whether a client may go on that did not have to bring a certificate: without one, or with one that was verified. (With
 * `rejectUnauthorized` Node has refused the others already.)
 */
export function isAcceptable(socket: TLSSocket): boolean {
  return socket.authorized || socket.getPeerX509Certificate() === undefined
}
