import type { LoginLimiter } from '../access/login-limiter.ts'
import type { Tokens } from '../access/tokens.ts'
import type { Users } from '../access/users.ts'
import { type Caller, type Endpoint, noContent, ok, type Role } from '../http/endpoint.ts'
import { ApiError, badRequest } from '../http/errors.ts'

const tag = 'Accounts'
const text = { type: 'string', maxLength: 256 } as const
const role = { enum: ['administrator', 'viewer'], description: 'viewer: may look, but change nothing' } as const
const userSchema = {
  type: 'object',
  properties: { username: text, description: text, role, backend: { const: 'local' } },
} as const

export interface AccountParts {
  readonly users: Users
  readonly tokens: Tokens
  readonly limiter: LoginLimiter
  readonly version: string
  /** Milliseconds. */
  readonly tokenLifetime: number
  /** With this password nobody logs in under a host name: see below. */
  readonly defaultPassword: string
}

/** Login, logout and the users who may. */
export function accountEndpoints(parts: AccountParts): Endpoint[] {
  const { users, tokens } = parts
  return [
    {
      method: 'POST',
      path: '/login',
      tag,
      access: 'public',
      summary: 'Log in: get a token for the Authorization header',
      bodySchema: {
        type: 'object',
        required: ['username', 'password'],
        properties: { username: text, password: text },
      },
      responseSchema: {
        type: 'object',
        properties: {
          token: { type: 'string' },
          version: { type: 'string' },
          role,
          license: { type: 'object', properties: { edition: { type: 'string' } } },
          password_expire_in_seconds: { type: 'integer', description: 'Passwords do not expire: a very big number' },
        },
      },
      handle: async ({ body }, caller) => ok(await logIn(parts, body as Login, caller)),
    },
    {
      method: 'POST',
      path: '/logout',
      tag,
      access: 'user',
      anyRole: true,
      summary: 'End the token that the request carries',
      responses: { 204: 'Logged out' },
      handle(_request, { token }) {
        if (token !== undefined) tokens.revoke(token)
        return noContent
      },
    },
    {
      method: 'GET',
      path: '/users',
      tag,
      access: 'user',
      summary: 'All users',
      responseSchema: { type: 'array', items: userSchema },
      handle: () => ok(users.list().map((user) => ({ ...user, backend: 'local' }))),
    },
    {
      method: 'POST',
      path: '/users',
      tag,
      access: 'user',
      summary: 'Add a user',
      bodySchema: {
        type: 'object',
        required: ['username', 'password'],
        properties: {
          username: text,
          password: text,
          description: { ...text, default: '' },
          role: { ...role, default: 'administrator' },
        },
      },
      responseSchema: userSchema,
      async handle({ body }) {
        const { username, password, description, role } = body as Login & { description: string; role: Role }
        return ok({ ...(await users.add({ username, password, description, role })), backend: 'local' })
      },
    },
    {
      method: 'PUT',
      path: '/users/:username',
      tag,
      access: 'user',
      summary: "Change a user's description or role",
      bodySchema: { type: 'object', properties: { description: text, role } },
      responseSchema: userSchema,
      async handle({ params, body }) {
        const { description, role } = body as { description?: string; role?: Role }
        const changes = {
          ...(description === undefined ? {} : { description }),
          ...(role === undefined ? {} : { role }),
        }
        return ok({ ...(await users.update(params.username ?? '', changes)), backend: 'local' })
      },
    },
    {
      method: 'DELETE',
      path: '/users/:username',
      tag,
      access: 'user',
      summary: 'Delete a user; the default user cannot be deleted, nor can you delete yourself',
      responses: { 204: 'Deleted' },
      async handle({ params: { username = '' } }, caller) {
        if (username === caller.name) throw badRequest('you cannot delete yourself')
        await users.remove(username)
        tokens.revokeUser(username)
        return noContent
      },
    },
    {
      method: 'POST',
      path: '/users/:username/change_pwd',
      tag,
      access: 'user',
      anyRole: true,
      summary: 'Change a password; logs the user out everywhere',
      bodySchema: {
        type: 'object',
        required: ['old_pwd', 'new_pwd'],
        properties: { old_pwd: text, new_pwd: text },
      },
      responses: { 204: 'Changed' },
      async handle({ params: { username = '' }, body }, caller) {
        if (caller.role !== 'administrator' && username !== caller.name) {
          throw new ApiError(403, 'UNAUTHORIZED_ROLE', 'you can change your own password only')
        }
        const { old_pwd, new_pwd } = body as { old_pwd: string; new_pwd: string }
        if (users.get(username) === undefined) throw new ApiError(404, 'USER_NOT_FOUND', `there is no user ${username}`)
        await checkPassword(parts, { username, password: old_pwd }, caller, 400)
        if (old_pwd === new_pwd) throw badRequest('body.new_pwd: is the old password')
        await users.setPassword(username, new_pwd)
        tokens.revokeUser(username)
        return noContent
      },
    },
  ]
}

interface Login {
  readonly username: string
  readonly password: string
}

async function logIn(parts: AccountParts, login: Login, caller: Caller): Promise<object> {
  const { users, tokens, version } = parts
  // A page of another site may point its own host name at 127.0.0.1 and then talk to us as its own server: it must not get in with
  // the password that everybody knows.
  if (login.password === parts.defaultPassword && !isLocalName(caller.host)) {
    throw new ApiError(
      401,
      'BAD_USERNAME_OR_PWD',
      'the default password works only at http://127.0.0.1 or http://localhost; change it first',
    )
  }
  await checkPassword(parts, login, caller, 401)
  return {
    token: tokens.issue(login.username),
    version,
    license: { edition: 'opensource' },
    role: users.get(login.username)?.role,
    password_expire_in_seconds: Number.MAX_SAFE_INTEGER,
  }
}

async function checkPassword(
  { users, limiter }: AccountParts,
  { username, password }: Login,
  { peerhost }: Caller,
  status: number,
): Promise<void> {
  const locked = limiter.lockedFor(username, peerhost)
  if (locked > 0) {
    throw new ApiError(
      401,
      'LOGIN_LOCKED',
      `too many wrong passwords; try again in ${Math.ceil(locked / 1000)} seconds`,
    )
  }
  // Counted before the answer is known: many guesses at once count as many.
  limiter.failed(username, peerhost)
  if (!(await users.verify(username, password))) {
    throw new ApiError(status, 'BAD_USERNAME_OR_PWD', 'the user name or the password is not right')
  }
  limiter.succeeded(username, peerhost)
}

function isLocalName(host: string): boolean {
  return host === 'localhost' || /^[\d.]+$/.test(host) || host.startsWith('[') || host.includes(':')
}
