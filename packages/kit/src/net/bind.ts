import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs'
import { type AddressInfo, connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { formatAddress, type ListenAddress } from './address.ts'

/** Bytes of sun_path on Linux without the terminating zero. The other systems have 4 less, and say so themselves. */
const LONGEST_SOCKET_PATH = 107

/**
 * Makes a server listen.
 * @param id of the listener, for the error text, such as 'tcp:external'
 * @returns the address with a port 0 resolved
 * @throws Error of one line that says what is in the way and what to do
 */
export async function bindServer(
  server: Server,
  id: string,
  address: ListenAddress,
  backlog?: number,
  reusePort = false,
): Promise<ListenAddress> {
  if ('path' in address) await prepareSocketPath(id, address.path)
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(new Error(explain(id, address, error), { cause: error }))
    server.once('error', failed)
    try {
      const place = 'path' in address ? { path: address.path } : { ...address, reusePort }
      server.listen({ ...place, backlog }, () => {
        server.removeListener('error', failed)
        resolve()
      })
    } catch (error) {
      failed(error as NodeJS.ErrnoException)
    }
  })
  if ('path' in address) {
    if (address.mode !== undefined) chmodSync(address.path, address.mode)
    return address
  }
  return { host: address.host, port: (server.address() as AddressInfo).port }
}

/** Removes what a killed process left behind; never a file that is not a socket, never one that somebody answers on. */
async function prepareSocketPath(id: string, path: string): Promise<void> {
  const bytes = Buffer.byteLength(path)
  if (bytes > LONGEST_SOCKET_PATH) {
    throw new Error(
      `listener ${id}: the socket path ${path} has ${bytes} bytes, the system takes ${LONGEST_SOCKET_PATH}; choose a shorter one`,
    )
  }
  // The system's own answer to this is "permission denied".
  if (!existsSync(dirname(path))) {
    throw new Error(`listener ${id}: the folder of the socket ${path} does not exist; create it or choose another path`)
  }
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (status === undefined) return
  if (!status.isSocket()) {
    throw new Error(`listener ${id}: ${path} exists and is not a socket; remove it or choose another path`)
  }
  const code = await new Promise<string | undefined>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(undefined)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
  })
  if (code === undefined) {
    throw new Error(`listener ${id}: another program listens on ${path}; stop it or choose another path`)
  }
  if (code !== 'ECONNREFUSED') return
  unlinkSync(path)
}

function explain(id: string, address: ListenAddress, error: NodeJS.ErrnoException): string {
  const where = formatAddress(address)
  const key = `listener.${id.replace(':', '.')}`
  if ('path' in address) {
    switch (error.code) {
      case 'EADDRINUSE':
        return `listener ${id}: another program listens on ${where}; stop it or choose another path`
      case 'EACCES':
      case 'EPERM':
        return `listener ${id}: no permission to create the socket ${where}; choose a folder that this user may write to`
    }
    return `listener ${id}: cannot listen on ${where}: ${error.message}`
  }
  switch (error.code) {
    case 'EADDRINUSE': {
      const other = formatAddress({ host: address.host, port: address.port < 65535 ? address.port + 1 : 0 })
      return `listener ${id}: port ${address.port} on ${address.host} is in use; stop the other program or choose another port with --set ${key}=${other}`
    }
    case 'EACCES':
    case 'EPERM':
      return `listener ${id}: no permission to listen on ${where}; ports below 1024 need a privilege: choose a higher port with --set ${key}=${formatAddress({ host: address.host, port: address.port + 10000 })}`
    case 'EADDRNOTAVAIL':
      return `listener ${id}: ${address.host} is not an address of this machine; use one that is, 127.0.0.1, or 0.0.0.0 for all, with --set ${key}=127.0.0.1:${address.port}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return `listener ${id}: the host "${address.host}" cannot be resolved (${error.code}); use an IP address with --set ${key}=127.0.0.1:${address.port}`
    case 'ERR_SOCKET_BAD_PORT':
      return `listener ${id}: ${address.port} is not a port; expected 0 to 65535`
    case 'EAFNOSUPPORT':
      return `listener ${id}: this machine has no IPv6, so ${where} is not possible; use an IPv4 address`
  }
  return `listener ${id}: cannot listen on ${where}: ${error.message}`
}
