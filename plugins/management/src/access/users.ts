import type { KeyValueStore } from '@hookmq/api'
import type { Role } from '../http/endpoint.ts'
import { ApiError, badRequest } from '../http/errors.ts'
import { hashPassword, passwordFault, verifyPassword } from './password.ts'

const PREFIX = 'user/'
const MOST_USERS = 1000

export interface User {
  readonly username: string
  readonly description: string
  readonly role: Role
}

interface StoredUser extends User {
  readonly password: string
}

export interface NewUser extends User {
  readonly password: string
}

/** Who may log in. Held in memory, kept in the store; passwords only as hashes. */
export class Users {
  readonly #store: KeyValueStore
  readonly #users = new Map<string, StoredUser>()
  readonly #defaultName: string
  /** The password that everybody knows: never set where other machines reach the server. */
  readonly #forbidden: string | undefined

  private constructor(store: KeyValueStore, defaultName: string, forbidden: string | undefined) {
    this.#store = store
    this.#defaultName = defaultName
    this.#forbidden = forbidden
  }

  static async open(
    store: KeyValueStore,
    defaultUser: { readonly name: string; readonly password: string },
    forbidden?: string,
  ): Promise<Users> {
    const users = new Users(store, defaultUser.name, forbidden)
    for await (const [, value] of store.list(PREFIX)) {
      const user = value as StoredUser
      users.#users.set(user.username, user)
    }
    // A changed password wins over the file: the default user is only made, never changed back.
    if (!users.#users.has(defaultUser.name) && defaultUser.password !== forbidden) {
      const { name, password } = defaultUser
      await users.#keep({
        username: name,
        description: 'administrator',
        role: 'administrator',
        password: await hashPassword(password),
      })
    }
    return users
  }

  get(username: string): User | undefined {
    return this.#users.get(username)
  }

  list(): User[] {
    return [...this.#users.values()].map(({ username, description, role }) => ({ username, description, role }))
  }

  async verify(username: string, password: string): Promise<boolean> {
    const user = this.#users.get(username)
    // Who does not exist takes as long as who does: nobody learns names by the clock.
    if (user === undefined) return (await verifyPassword(password, await decoy())) && false
    return verifyPassword(password, user.password)
  }

  async add({ username, password, description, role }: NewUser): Promise<User> {
    if (!/^[\w.@-]{1,100}$/.test(username)) {
      throw badRequest("body.username: expected 1 to 100 letters, digits, '_', '-', '.', '@'")
    }
    if (this.#users.has(username)) throw new ApiError(400, 'ALREADY_EXISTS', `there already is a user ${username}`)
    if (this.#users.size >= MOST_USERS) throw new ApiError(400, 'EXCEED_LIMIT', `there are ${MOST_USERS} users already`)
    this.#requireGood(password)
    const user = { username, description, role }
    await this.#keep({ ...user, password: await hashPassword(password) })
    return user
  }

  async update(username: string, changes: { readonly description?: string; readonly role?: Role }): Promise<User> {
    const user = this.#require(username)
    if (changes.role !== undefined && changes.role !== 'administrator') this.#requireAnotherAdministrator(username)
    const changed = { ...user, ...changes }
    await this.#keep(changed)
    return { username, description: changed.description, role: changed.role }
  }

  async setPassword(username: string, password: string): Promise<void> {
    this.#require(username)
    this.#requireGood(password)
    const hash = await hashPassword(password)
    await this.#keep({ ...this.#require(username), password: hash })
  }

  async remove(username: string): Promise<void> {
    this.#require(username)
    if (username === this.#defaultName) throw badRequest(`${username} is the default user and cannot be deleted`)
    this.#users.delete(username)
    await this.#store.delete(PREFIX + username)
  }

  #require(username: string): StoredUser {
    const user = this.#users.get(username)
    if (user === undefined) throw new ApiError(404, 'USER_NOT_FOUND', `there is no user ${username}`)
    return user
  }

  #requireGood(password: string): void {
    const fault = passwordFault(password)
    if (fault !== undefined || password === this.#forbidden) throw badRequest(fault ?? 'everybody knows this password')
  }

  #requireAnotherAdministrator(username: string): void {
    for (const user of this.#users.values()) {
      if (user.username !== username && user.role === 'administrator') return
    }
    throw badRequest(`${username} is the only administrator`)
  }

  async #keep(user: StoredUser): Promise<void> {
    this.#users.set(user.username, user)
    await this.#store.put(PREFIX + user.username, user)
  }
}

let decoyHash: Promise<string> | undefined

function decoy(): Promise<string> {
  decoyHash ??= hashPassword('nobody')
  return decoyHash
}
