import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls'

/** 'tlsv1.2', as configurations write it. */
export type TlsVersion = 'tlsv1' | 'tlsv1.1' | 'tlsv1.2' | 'tlsv1.3'

const VERSIONS: Readonly<Record<TlsVersion, SecureVersion>> = {
  tlsv1: 'TLSv1',
  'tlsv1.1': 'TLSv1.1',
  'tlsv1.2': 'TLSv1.2',
  'tlsv1.3': 'TLSv1.3',
}

/** Paths of PEM files. */
export interface CertificateFiles {
  /** The certificate, followed by its intermediate certificates. */
  readonly cert: string
  readonly key: string
  /** Of an encrypted key. */
  readonly passphrase?: string
}

export interface TlsOptions extends CertificateFiles {
  /** Path of a PEM file with the authorities that sign client certificates. */
  readonly ca?: string
  /** 'verify_peer': ask clients for a certificate, and refuse one that does not verify. 'verify_none' when left out. */
  readonly verify?: 'verify_peer' | 'verify_none'
  /** With 'verify_peer': refuse a client without a certificate; false when left out. */
  readonly failIfNoPeerCert?: boolean
  /** Without gaps; 'tlsv1.2' and 'tlsv1.3' when left out. */
  readonly versions?: readonly TlsVersion[]
  /** In OpenSSL's notation. */
  readonly ciphers?: string
  /** Other certificates by the name that the client asks for, such as 'mqtt.example.com' or '*.example.com'. */
  readonly sni?: Readonly<Record<string, CertificateFiles>>
}

/** Certificates, as they were when the files were last read. */
export interface TlsCredentials {
  readonly context: SecureContextOptions
  readonly byServerName: ReadonlyMap<string, SecureContext>
}

/**
 * Reads and checks all files.
 * @param id of the listener, for the error text
 * @throws Error of one line that names the file and what is wrong with it
 */
export function loadCredentials(id: string, options: TlsOptions): TlsCredentials {
  if (options.verify === 'verify_peer' && options.ca === undefined) {
    throw new Error(
      `listener ${id}: verify_peer needs the certificates of the authorities that sign clients; give a cacertfile`,
    )
  }
  const common: SecureContextOptions = {
    ...versionRange(id, options.versions ?? ['tlsv1.2', 'tlsv1.3']),
    ciphers: options.ciphers,
    honorCipherOrder: true,
    ca: options.ca === undefined ? undefined : readAuthorities(id, options.ca),
  }
  const context = { ...common, ...readPair(id, options) }
  createContext(id, options, context)
  const byServerName = new Map<string, SecureContext>()
  for (const [name, files] of Object.entries(options.sni ?? {})) {
    byServerName.set(name.toLowerCase(), createContext(id, files, { ...common, ...readPair(id, files) }))
  }
  return { context, byServerName }
}

/** What `tls.createServer` has to ask of clients. A client that brought nothing is the caller's to refuse or not (`isAcceptable`). */
export function verification(options: TlsOptions): { requestCert: boolean; rejectUnauthorized: boolean } {
  const requestCert = options.verify === 'verify_peer'
  return { requestCert, rejectUnauthorized: requestCert && options.failIfNoPeerCert === true }
}

/** The certificate for a name: that of the very name, of its wildcard, or undefined for the listener's own. */
export function contextFor(credentials: TlsCredentials, serverName: string): SecureContext | undefined {
  const name = serverName.toLowerCase()
  const exact = credentials.byServerName.get(name)
  if (exact !== undefined) return exact
  const dot = name.indexOf('.')
  return dot === -1 ? undefined : credentials.byServerName.get(`*${name.slice(dot)}`)
}

function readPair(id: string, files: CertificateFiles): SecureContextOptions {
  const cert = readFile(id, 'certificate', files.cert)
  const key = readFile(id, 'key', files.key)
  const certificate = attempt(
    () => new X509Certificate(cert),
    () => `listener ${id}: the certificate file ${files.cert} has no certificate in PEM format`,
  )
  const privateKey = attempt(
    () => createPrivateKey({ key, passphrase: files.passphrase }),
    () =>
      key.includes('ENCRYPTED')
        ? `listener ${id}: the key file ${files.key} is encrypted, and the password is missing or wrong`
        : `listener ${id}: the key file ${files.key} has no private key in PEM format`,
  )
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(`listener ${id}: the key in ${files.key} does not belong to the certificate in ${files.cert}`)
  }
  return { cert, key, passphrase: files.passphrase }
}

function readAuthorities(id: string, path: string): string[] {
  const certificates =
    readFile(id, 'CA', path).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (certificates.length === 0) {
    throw new Error(`listener ${id}: the CA file ${path} has no certificate in PEM format`)
  }
  for (const certificate of certificates) {
    attempt(
      () => new X509Certificate(certificate),
      () => `listener ${id}: the CA file ${path} has a broken certificate`,
    )
  }
  return certificates
}

function readFile(id: string, what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const why = code === 'ENOENT' ? 'it does not exist' : code === 'EACCES' ? 'no permission' : (error as Error).message
    throw new Error(`listener ${id}: cannot read the ${what} file ${path}: ${why}`, { cause: error })
  }
}

function createContext(id: string, files: CertificateFiles, options: SecureContextOptions): SecureContext {
  return attempt(
    () => createSecureContext(options),
    (error) =>
      /cipher/i.test(error.message)
        ? `listener ${id}: the ciphers "${options.ciphers}" are not understood: ${error.message}`
        : `listener ${id}: the certificate in ${files.cert} cannot be used: ${error.message}`,
  )
}

function versionRange(id: string, versions: readonly TlsVersion[]): SecureContextOptions {
  const order = Object.keys(VERSIONS) as TlsVersion[]
  const indexes = versions.map((version) => order.indexOf(version)).sort((a, b) => a - b)
  const lowest = indexes[0]
  const highest = indexes[indexes.length - 1]
  if (lowest === undefined || lowest === -1) {
    throw new Error(
      `listener ${id}: TLS versions "${versions.join(',')}" are not understood; expected some of ${order.join(', ')}`,
    )
  }
  if (new Set(indexes).size !== highest - lowest + 1) {
    throw new Error(
      `listener ${id}: TLS versions "${versions.join(',')}" leave one out in between; OpenSSL takes only a range`,
    )
  }
  return { minVersion: VERSIONS[order[lowest]], maxVersion: VERSIONS[order[highest]] }
}

function attempt<T>(action: () => T, message: (error: Error) => string): T {
  try {
    return action()
  } catch (error) {
    throw new Error(message(error as Error), { cause: error })
  }
}
