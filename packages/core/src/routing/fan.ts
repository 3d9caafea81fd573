import { StoredRoute } from './route.ts'
import type { Group } from './shared-group.ts'
import type { Receiver } from './types.ts'

/** Who subscribed to one filter. The usual case, one receiver, is the route itself. */
export type Fan = StoredRoute | Crowd

/** Several receivers, or shared groups. */
export class Crowd {
  readonly #routes = new Map<Receiver, StoredRoute>()
  #list: readonly StoredRoute[] | undefined = undefined
  /** By what stands before the filter. */
  groups: Map<string, Group> | undefined = undefined

  get size(): number {
    return this.#routes.size
  }

  get(receiver: Receiver): StoredRoute | undefined {
    return this.#routes.get(receiver)
  }

  set(route: StoredRoute): void {
    this.#routes.set(route.receiver, route)
    this.#list = undefined
  }

  delete(receiver: Receiver): void {
    this.#routes.delete(receiver)
    this.#list = undefined
  }

  /** All routes as an array, which is made once and shared by all topics until a subscription changes. */
  list(): readonly StoredRoute[] {
    this.#list ??= [...this.#routes.values()]
    return this.#list
  }
}

export function routeOf(fan: Fan | undefined, receiver: Receiver): StoredRoute | undefined {
  if (fan === undefined) return undefined
  if (fan instanceof StoredRoute) return fan.receiver === receiver ? fan : undefined
  return fan.get(receiver)
}

/** The fan with this route in place of the receiver's previous one. */
export function withRoute(fan: Fan | undefined, route: StoredRoute): Fan {
  if (fan === undefined) return route
  if (fan instanceof StoredRoute && fan.receiver === route.receiver) return route
  const crowd = crowdOf(fan)
  crowd.set(route)
  return crowd
}

/** The fan without the receiver; undefined when nobody is left. */
export function withoutRoute(fan: Fan, receiver: Receiver): Fan | undefined {
  if (fan instanceof StoredRoute) return fan.receiver === receiver ? undefined : fan
  fan.delete(receiver)
  return shrink(fan)
}

export function groupOf(fan: Fan | undefined, prefix: string): Group | undefined {
  return fan instanceof Crowd ? fan.groups?.get(prefix) : undefined
}

export function withGroup(fan: Fan | undefined, group: Group): Crowd {
  const crowd = crowdOf(fan)
  crowd.groups ??= new Map()
  crowd.groups.set(group.prefix, group)
  return crowd
}

export function withoutGroup(fan: Crowd, prefix: string): Fan | undefined {
  fan.groups?.delete(prefix)
  if (fan.groups?.size === 0) fan.groups = undefined
  return shrink(fan)
}

function crowdOf(fan: Fan | undefined): Crowd {
  if (fan instanceof Crowd) return fan
  const crowd = new Crowd()
  if (fan !== undefined) crowd.set(fan)
  return crowd
}

function shrink(crowd: Crowd): Fan | undefined {
  if (crowd.groups !== undefined || crowd.size > 1) return crowd
  return crowd.list()[0]
}
