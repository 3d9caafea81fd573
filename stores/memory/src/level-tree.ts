import type { Message } from '@hookmq/api'
import type { OldestFirst } from './oldest-first.ts'

export interface Held {
  readonly message: Message
  /** Order of coming. */
  readonly sequence: number
  /** Another one took its place, or it was deleted. */
  gone: boolean
}

class Branch {
  /** Once there, it stays a map until it is empty: walks in progress hold on to it. */
  children: Map<string, Branch> | undefined = undefined
  held: Held | undefined = undefined
}

/** A place of a walk: branches that are still to be looked at, and from which level of the filter on. */
interface Step {
  readonly branches: Iterator<Branch>
  readonly depth: number
}

/** Topic names by levels. Nothing recurses: a topic may have tens of thousands of levels. */
export class LevelTree {
  #root = new Branch()

  set(topic: string, held: Held): void {
    let branch = this.#root
    for (const level of topic.split('/')) {
      branch.children ??= new Map()
      let child = branch.children.get(level)
      if (child === undefined) {
        child = new Branch()
        branch.children.set(level, child)
      }
      branch = child
    }
    branch.held = held
  }

  delete(topic: string): void {
    const levels = topic.split('/')
    const path = [this.#root]
    for (const level of levels) {
      const child = path[path.length - 1].children?.get(level)
      if (child === undefined) return
      path.push(child)
    }
    path[path.length - 1].held = undefined
    for (let depth = levels.length; depth > 0; depth--) {
      const branch = path[depth]
      if (branch.held !== undefined || (branch.children !== undefined && branch.children.size !== 0)) return
      path[depth - 1].children?.delete(levels[depth - 1])
    }
  }

  clear(): void {
    this.#root = new Branch()
  }

  /** What the filter matches: takes effect as the walk is made. The tree may change between two steps: what stays in it is found. */
  walk(filter: string): Walk {
    return new Walk(this.#root, filter)
  }
}

/** Looks for what a filter matches, some branches at a time. */
export class Walk {
  readonly #levels: readonly string[]
  readonly #stack: Step[]

  constructor(root: Branch, filter: string) {
    this.#levels = filter.split('/')
    this.#stack = [{ branches: [root].values(), depth: 0 }]
  }

  /** Looks at so many branches, and adds what it finds in no order. true: these were the last. */
  step(count: number, found: OldestFirst): boolean {
    const levels = this.#levels
    const stack = this.#stack
    for (let seen = 0; seen < count; ) {
      if (stack.length === 0) return true
      const step = stack[stack.length - 1]
      const next = step.branches.next()
      if (next.done === true) {
        stack.pop()
        continue
      }
      seen++
      const branch = next.value
      const { depth } = step
      const level = levels[depth]
      if (branch.held !== undefined && (depth === levels.length || level === '#')) found.add(branch.held)
      const { children } = branch
      if (children === undefined || depth === levels.length) continue
      if (level === '+' || level === '#') {
        const branches = stack.length === 1 ? withoutSystem(children) : children.values()
        stack.push({ branches, depth: level === '#' ? depth : depth + 1 })
      } else {
        const child = children.get(level)
        if (child !== undefined) stack.push({ branches: [child].values(), depth: depth + 1 })
      }
    }
    return false
  }
}

/** A leading wildcard does not match topics that begin with $. [MQTT-4.7.2-1] */
function* withoutSystem(children: Map<string, Branch>): Generator<Branch, void, undefined> {
  for (const [level, branch] of children) if (!level.startsWith('$')) yield branch
}
