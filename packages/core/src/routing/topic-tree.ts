import { topicMatches } from '@hookmq/mqtt'
import { hasWildcard } from './wildcard.ts'

/** The only filter below its place in the tree: holds it whole instead of one node per level. */
class Leaf<Value> {
  /** Its key in the parent. */
  readonly level: string
  readonly filter: string
  value: Value
  constructor(level: string, filter: string, value: Value) {
    this.level = level
    this.filter = filter
    this.value = value
  }
}

class Branch<Value> {
  readonly level: string
  /** One child needs no map. */
  children: Child<Value> | Map<string, Child<Value>> | undefined = undefined
  plus: Child<Value> | undefined = undefined
  /** Of the filter that ends here. */
  value: Value | undefined = undefined
  /** Of the filter that goes on with `#`. */
  hashValue: Value | undefined = undefined
  constructor(level: string) {
    this.level = level
  }
}

type Child<Value> = Leaf<Value> | Branch<Value>

/**
 * One value per topic filter, and all values whose filters match a topic. Filters without wildcards are in a map, the
 * others in a tree by levels: matching costs as much as there are matching paths, however many filters there are. Nothing
 * recurses, so that a filter of 30,000 levels cannot overflow the stack.
 */
export class TopicTree<Value> {
  readonly #exact = new Map<string, Value>()
  #root = new Branch<Value>('')
  #wildcards = 0
  readonly #branches: Branch<Value>[] = []
  readonly #depths: number[] = []
  readonly #levels: string[] = []

  /** Number of filters. */
  get size(): number {
    return this.#exact.size + this.#wildcards
  }

  get(filter: string): Value | undefined {
    if (!hasWildcard(filter)) return this.#exact.get(filter)
    let branch = this.#root
    for (let start = 0; start <= filter.length; ) {
      const end = endOfLevel(filter, start)
      const level = filter.slice(start, end)
      if (level === '#') return branch.hashValue
      const child = childOf(branch, level)
      if (child === undefined) return undefined
      if (child instanceof Leaf) return child.filter === filter ? child.value : undefined
      branch = child
      start = end + 1
    }
    return branch.value
  }

  /** Adds the filter or replaces its value. */
  set(filter: string, value: Value): void {
    if (!hasWildcard(filter)) {
      this.#exact.set(filter, value)
      return
    }
    let branch = this.#root
    for (let start = 0; start <= filter.length; ) {
      const end = endOfLevel(filter, start)
      const level = filter.slice(start, end)
      if (level === '#') {
        if (branch.hashValue === undefined) this.#wildcards++
        branch.hashValue = value
        return
      }
      const child = childOf(branch, level)
      if (child === undefined) {
        setChild(branch, new Leaf(level, filter, value))
        this.#wildcards++
        return
      }
      if (child instanceof Leaf) {
        if (child.filter === filter) {
          child.value = value
          return
        }
        const grown = pushDown(child, end)
        setChild(branch, grown)
        branch = grown
      } else {
        branch = child
      }
      start = end + 1
    }
    if (branch.value === undefined) this.#wildcards++
    branch.value = value
  }

  /** true: the filter was there. */
  delete(filter: string): boolean {
    if (!hasWildcard(filter)) return this.#exact.delete(filter)
    const path: Branch<Value>[] = []
    let branch = this.#root
    let found = false
    for (let start = 0; start <= filter.length; ) {
      const end = endOfLevel(filter, start)
      const level = filter.slice(start, end)
      if (level === '#') {
        found = branch.hashValue !== undefined
        branch.hashValue = undefined
        start = filter.length + 2
        break
      }
      const child = childOf(branch, level)
      if (child === undefined) return false
      if (child instanceof Leaf) {
        if (child.filter !== filter) return false
        removeChild(branch, level)
        found = true
        start = filter.length + 2
        break
      }
      path.push(branch)
      branch = child
      start = end + 1
      if (start > filter.length) {
        found = branch.value !== undefined
        branch.value = undefined
      }
    }
    if (!found) return false
    this.#wildcards--
    // Branches that lead nowhere any more go.
    while (path.length !== 0 && isEmpty(branch)) {
      const parent = path.pop() as Branch<Value>
      removeChild(parent, branch.level)
      branch = parent
    }
    return true
  }

  /** Appends the values of all filters that match the topic name to `into`. */
  match(topic: string, into: Value[]): void {
    const exact = this.#exact.get(topic)
    if (exact !== undefined) into.push(exact)
    if (this.#wildcards === 0) return
    const levels = this.#levels
    const last = this.#split(topic)
    // [MQTT-4.7.2-1] no leading wildcard for $-topics.
    const hidden = topic.charCodeAt(0) === 0x24
    const branches = this.#branches
    const depths = this.#depths
    branches.push(this.#root)
    depths.push(0)
    for (let branch = branches.pop(); branch !== undefined; branch = branches.pop()) {
      const depth = depths.pop() as number
      const open = depth !== 0 || !hidden
      if (branch.hashValue !== undefined && open) into.push(branch.hashValue)
      if (depth === last) {
        if (branch.value !== undefined) into.push(branch.value)
        continue
      }
      const plus = branch.plus
      if (plus !== undefined && open) {
        if (plus instanceof Branch) {
          branches.push(plus)
          depths.push(depth + 1)
        } else if (topicMatches(plus.filter, topic)) into.push(plus.value)
      }
      const children = branch.children
      if (children === undefined) continue
      const level = levels[depth]
      let child: Child<Value> | undefined
      if (children instanceof Map) child = children.get(level)
      else if (children.level === level) child = children
      if (child instanceof Branch) {
        branches.push(child)
        depths.push(depth + 1)
      } else if (child !== undefined && topicMatches(child.filter, topic)) into.push(child.value)
    }
  }

  /** The levels of a topic into `#levels`, and their number: twice as fast as String.split. */
  #split(topic: string): number {
    const levels = this.#levels
    // What one topic of thousands of levels left behind is not kept.
    if (levels.length > 128) levels.length = 0
    let count = 0
    let start = 0
    for (let end = topic.indexOf('/'); end !== -1; end = topic.indexOf('/', start)) {
      levels[count++] = topic.slice(start, end)
      start = end + 1
    }
    levels[count++] = topic.slice(start)
    return count
  }

  /** All filters with their values, in no particular order. The tree must not change meanwhile. */
  *entries(): Generator<[filter: string, value: Value]> {
    yield* this.#exact
    const stack: [prefix: string, branch: Branch<Value>][] = [['', this.#root]]
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const [prefix, branch] = top
      if (branch.hashValue !== undefined) yield [`${prefix}#`, branch.hashValue]
      if (branch.value !== undefined) yield [prefix.slice(0, -1), branch.value]
      for (const child of childrenOf(branch)) {
        if (child instanceof Leaf) yield [child.filter, child.value]
        else stack.push([`${prefix}${child.level}/`, child])
      }
    }
  }
}

function endOfLevel(filter: string, start: number): number {
  const end = filter.indexOf('/', start)
  return end === -1 ? filter.length : end
}

function childOf<Value>(branch: Branch<Value>, level: string): Child<Value> | undefined {
  if (level === '+') return branch.plus
  const children = branch.children
  if (children instanceof Map) return children.get(level)
  return children !== undefined && children.level === level ? children : undefined
}

function setChild<Value>(branch: Branch<Value>, child: Child<Value>): void {
  const children = branch.children
  if (child.level === '+') branch.plus = child
  else if (children === undefined) branch.children = child
  else if (children instanceof Map) children.set(child.level, child)
  else if (children.level === child.level) branch.children = child
  else
    branch.children = new Map([
      [children.level, children],
      [child.level, child],
    ])
}

function removeChild<Value>(branch: Branch<Value>, level: string): void {
  if (level === '+') branch.plus = undefined
  else if (!(branch.children instanceof Map)) branch.children = undefined
  else {
    branch.children.delete(level)
    if (branch.children.size === 1) for (const only of branch.children.values()) branch.children = only
  }
}

/** A branch in the leaf's place, with the leaf's filter below it. `end`: where the level of the leaf ends in its filter. */
function pushDown<Value>(leaf: Leaf<Value>, end: number): Branch<Value> {
  const branch = new Branch<Value>(leaf.level)
  const filter = leaf.filter
  if (end >= filter.length) {
    branch.value = leaf.value
    return branch
  }
  const level = filter.slice(end + 1, endOfLevel(filter, end + 1))
  if (level === '#') branch.hashValue = leaf.value
  else setChild(branch, new Leaf(level, filter, leaf.value))
  return branch
}

function isEmpty<Value>(branch: Branch<Value>): boolean {
  return (
    branch.value === undefined &&
    branch.hashValue === undefined &&
    branch.plus === undefined &&
    branch.children === undefined
  )
}

function* childrenOf<Value>(branch: Branch<Value>): Generator<Child<Value>> {
  if (branch.plus !== undefined) yield branch.plus
  if (branch.children instanceof Map) yield* branch.children.values()
  else if (branch.children !== undefined) yield branch.children
}
