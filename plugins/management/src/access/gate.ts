import type { Caller, Endpoint } from '../http/endpoint.ts'
import { ApiError } from '../http/errors.ts'
import type { ApiKeys } from './api-keys.ts'
import type { Tokens } from './tokens.ts'
import type { Users } from './users.ts'

export interface Asking {
  readonly authorization: string | undefined
  readonly peerhost: string
  readonly host: string
}

/** Finds out who calls, and whether they may. */
export class Gate {
  readonly #users: Users
  readonly #keys: ApiKeys
  readonly #tokens: Tokens

  constructor(users: Users, keys: ApiKeys, tokens: Tokens) {
    this.#users = users
    this.#keys = keys
    this.#tokens = tokens
  }

  /** Throws ApiError 401 or 403. */
  admit(endpoint: Endpoint, asking: Asking): Caller {
    const { peerhost, host } = asking
    const access = endpoint.access ?? 'authenticated'
    if (access === 'public') return { kind: 'nobody', name: '', role: 'viewer', peerhost, host }
    const caller = this.#identify(asking)
    if (access === 'user' && caller.kind !== 'user') {
      throw new ApiError(403, 'UNAUTHORIZED_ROLE', 'an API key cannot do this; log in as a user')
    }
    if (!isAllowed(caller, endpoint)) {
      throw new ApiError(
        403,
        'UNAUTHORIZED_ROLE',
        `the role ${caller.role} does not allow ${endpoint.method} ${endpoint.path}`,
      )
    }
    return caller
  }

  #identify({ authorization, peerhost, host }: Asking): Caller {
    const [, scheme, value] = /^(basic|bearer) +(\S+)$/i.exec(authorization ?? '') ?? []
    if (scheme === undefined || value === undefined) {
      throw new ApiError(
        401,
        'AUTHORIZATION_HEADER_ERROR',
        'the Authorization header is missing or of another kind: expected Bearer with a token of POST /login, or Basic with an API key and its secret',
      )
    }
    if (scheme.toLowerCase() === 'bearer') {
      const name = this.#tokens.userOf(value)
      const user = name === undefined ? undefined : this.#users.get(name)
      if (user === undefined)
        throw new ApiError(401, 'BAD_TOKEN', 'the token is unknown or has expired; get one by POST /login')
      return { kind: 'user', name: user.username, role: user.role, peerhost, host, token: value }
    }
    const credentials = Buffer.from(value, 'base64').toString()
    const split = credentials.indexOf(':')
    const key = split < 0 ? undefined : this.#keys.verify(credentials.slice(0, split), credentials.slice(split + 1))
    if (key === undefined) throw new ApiError(401, 'BAD_API_KEY_OR_SECRET', 'the API key or its secret is not right')
    return { kind: 'api_key', ...key, peerhost, host }
  }
}

function isAllowed({ role }: Caller, endpoint: Endpoint): boolean {
  if (role === 'administrator' || endpoint.anyRole === true) return true
  if (role === 'viewer') return endpoint.method === 'GET'
  return endpoint.method === 'POST' && (endpoint.path === '/publish' || endpoint.path === '/publish/bulk')
}
