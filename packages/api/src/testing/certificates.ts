import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Paths of a certificate and its key, in PEM format. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

/** An authority with a folder of its own under the system's temporary one. Needs the command `openssl`. */
export class TestAuthority {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'hookmq-certificates-'))
  /** Path of its certificate. */
  readonly ca: string
  private readonly key: string
  private count = 0

  /** @param name its common name */
  constructor(name = 'HookMQ test authority') {
    this.key = this.createKey('ca')
    this.ca = join(this.folder, 'ca.pem')
    openssl('req', '-x509', '-new', '-key', this.key, '-subj', `/CN=${name}`, '-days', '2', '-out', this.ca)
  }

  /**
   * Signs a certificate.
   * @param subject in OpenSSL's form, the most general name first: '/O=Acme/CN=device-1'
   * @param names DNS names and addresses that it is for
   */
  issue(subject: string, names: readonly string[] = ['DNS:localhost', 'IP:127.0.0.1']): TestCertificate {
    this.count += 1
    const base = `cert-${this.count}`
    const key = this.createKey(base)
    const request = join(this.folder, `${base}.csr`)
    const extensions = join(this.folder, `${base}.ext`)
    const cert = join(this.folder, `${base}.pem`)
    openssl('req', '-new', '-utf8', '-key', key, '-subj', subject, '-multivalue-rdn', '-out', request)
    writeFileSync(extensions, `subjectAltName=${names.join(',')}\n`)
    const signer = ['-CA', this.ca, '-CAkey', this.key, '-set_serial', String(1000 + this.count)]
    openssl('x509', '-req', '-in', request, ...signer, '-days', '2', '-extfile', extensions, '-out', cert)
    return { cert, key }
  }

  /** An encrypted copy of a key. @returns its path */
  encryptKey(key: string, passphrase: string): string {
    const path = `${key}.encrypted`
    openssl('pkcs8', '-topk8', '-in', key, '-out', path, '-v2', 'aes-256-cbc', '-passout', `pass:${passphrase}`)
    return path
  }

  /** Removes the folder. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  private createKey(base: string): string {
    const path = join(this.folder, `${base}.key`)
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path)
    return path
  }
}

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { stdio: ['ignore', 'ignore', 'pipe'] })
}
