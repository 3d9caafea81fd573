import type { ClientInfo } from '@hookmq/api'
import { readAddressRange, type Term, TermError } from '@hookmq/kit'

/** Whether a rule is about this client. */
export type Who = (client: ClientInfo) => boolean

const everybody: Who = () => true

const forms = `all, {user, "name"}, {client, "id"}, {ipaddr, "address or prefix"}, {ipaddrs, [...]}, {'and', [...]} or {'or', [...]}`

/**
 * @returns undefined for everybody, which needs no test
 * @throws TermError
 */
export function readWho(term: Term, file: string): Who | undefined {
  const who = read(term, file)
  return who === everybody ? undefined : who
}

function read(term: Term, file: string): Who {
  if (term.type === 'atom' && term.name === 'all') return everybody
  if (term.type !== 'tuple' || term.elements.length !== 2) return fail(term, file, forms)
  const [kind, operand] = term.elements
  switch (kind.type === 'atom' ? kind.name : '') {
    case 'user': {
      if (isAll(operand)) return everybody
      const name = text(operand, file, 'a user name in quotes, or all')
      return (client) => client.username === name
    }
    case 'client': {
      if (isAll(operand)) return everybody
      const id = text(operand, file, 'a client id in quotes, or all')
      return (client) => client.clientId === id
    }
    case 'ipaddr': {
      const range = addressRange(operand, file)
      return (client) => range.contains(client.peerhost)
    }
    case 'ipaddrs': {
      const ranges = list(operand, file, 'a list of addresses and prefixes').map((element) =>
        addressRange(element, file),
      )
      return (client) => ranges.some((range) => range.contains(client.peerhost))
    }
    case 'and': {
      const parts = list(operand, file, 'a list of conditions').map((element) => read(element, file))
      return (client) => parts.every((part) => part(client))
    }
    case 'or': {
      const parts = list(operand, file, 'a list of conditions').map((element) => read(element, file))
      return (client) => parts.some((part) => part(client))
    }
    default:
      return fail(term, file, forms)
  }
}

function addressRange(term: Term, file: string): { contains(address: string): boolean } {
  const expected = 'an address or prefix in quotes, such as "10.0.0.0/8"'
  return readAddressRange(text(term, file, expected)) ?? fail(term, file, expected)
}

function isAll(term: Term): boolean {
  return term.type === 'atom' && term.name === 'all'
}

/** Strings and binaries mean the same. */
export function text(term: Term, file: string, expected: string): string {
  return term.type === 'string' || term.type === 'binary' ? term.text : fail(term, file, expected)
}

export function list(term: Term, file: string, expected: string): readonly Term[] {
  // "" is the empty list in Erlang.
  if (term.type === 'string' && term.text === '') return []
  return term.type === 'list' ? term.elements : fail(term, file, expected)
}

export function fail(term: Term, file: string, expected: string): never {
  throw new TermError(file, term, expected, describe(term))
}

function describe(term: Term): string {
  switch (term.type) {
    case 'atom':
      return term.name
    case 'string':
    case 'binary':
      return JSON.stringify(term.text.slice(0, 60))
    case 'integer':
    case 'float':
      return String(term.value)
    case 'tuple': {
      const [first] = term.elements
      return `a tuple of ${term.elements.length}${first?.type === 'atom' ? ` that begins with ${first.name}` : ''}`
    }
    case 'list':
      return `a list of ${term.elements.length}`
  }
}
