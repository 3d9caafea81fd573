import { Crowd, type Fan } from './fan.ts'
import type { StoredRoute } from './route.ts'
import type { Receiver } from './types.ts'

/** Up to so many routes a receiver that occurs twice is looked for by a scan. */
const scanLimit = 16

/** The routes of several filters: one receiver, one route, whichever of its filters match. [MQTT-3.3.4-2] */
export function mergeFans(fans: readonly Fan[]): { direct: StoredRoute[]; merged: number } {
  const direct: StoredRoute[] = []
  /** Where a receiver's route is in `direct`; made when it is long. */
  let places: Map<Receiver, number> | undefined
  let merged = 0
  for (const fan of fans) {
    if (fan instanceof Crowd) for (const route of fan.list()) add(route)
    else add(fan)
  }
  return { direct, merged }

  function add(route: StoredRoute): void {
    const place = placeOf(route.receiver)
    if (place === -1) {
      places?.set(route.receiver, direct.length)
      direct.push(route)
    } else {
      direct[place] = direct[place].merge(route)
      merged++
    }
  }

  function placeOf(receiver: Receiver): number {
    if (places !== undefined) return places.get(receiver) ?? -1
    for (let place = 0; place < direct.length; place++) if (direct[place].receiver === receiver) return place
    if (direct.length >= scanLimit) places = new Map(direct.map((route, place) => [route.receiver, place]))
    return -1
  }
}
