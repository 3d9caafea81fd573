import { isWord } from './characters.ts'
import { compile, type Step } from './compile.ts'
import { parse } from './parse.ts'
import { type Assertion, PatternError } from './syntax.ts'

/** Steps of a compiled pattern. */
const maximumProgram = 2000

/** Work of one `exec`: steps that are looked at. About 20 ms. */
const defaultBudget = 2_000_000

interface Threads {
  readonly steps: number[]
  readonly captures: number[][]
}

/**
 * A regular expression for patterns and texts that nobody vouches for: all ways to match are followed at the same time, one character
 * after the other, so that the time is the length of the text times that of the pattern, never more. In exchange it has no
 * look-around, back-references and possessive repetition. Otherwise it is as PCRE: leftmost, the first alternative that matches.
 */
export class LinearRegExp {
  readonly source: string
  /** Capturing groups. */
  readonly groups: number
  readonly #program: readonly Step[]
  readonly #budget: number
  /** The position for which a step is in the list already. */
  readonly #marks: Int32Array

  /** Throws PatternError. `budget`: steps that one `exec` may take. */
  constructor(source: string, budget: number = defaultBudget) {
    const { node, groups } = parse(source)
    const program = compile(node, maximumProgram)
    if (program === undefined) throw new PatternError(source, 0, 'it is too large: shorten its repetitions {n,m}')
    this.source = source
    this.groups = groups
    this.#program = program
    this.#budget = budget
    this.#marks = new Int32Array(program.length)
  }

  /**
   * The first match: all of it, then the groups (undefined: took no part). undefined: does not match. Throws RangeError when text and
   * pattern together are more work than the budget.
   */
  exec(text: string): (string | undefined)[] | undefined {
    const characters = Array.from(text)
    const slots = this.#search(characters.map((character) => character.codePointAt(0) ?? 0))
    if (slots === undefined) return undefined
    const short = characters.length === text.length
    const cut = (from: number, to: number): string =>
      short ? text.slice(from, to) : characters.slice(from, to).join('')
    const groups: (string | undefined)[] = []
    for (let group = 0; group <= this.groups; group++) {
      const from = slots[group * 2]
      const to = slots[group * 2 + 1]
      groups.push(from === undefined || to === undefined || from < 0 || to < 0 ? undefined : cut(from, to))
    }
    return groups
  }

  #search(points: readonly number[]): readonly number[] | undefined {
    const program = this.#program
    this.#marks.fill(-1)
    let current: Threads = { steps: [], captures: [] }
    let following: Threads = { steps: [], captures: [] }
    let best: readonly number[] | undefined
    let work = 0
    const none = new Array<number>(this.groups * 2 + 2).fill(-1)
    for (let position = 0; position <= points.length; position++) {
      // A match that begins later is worse than any that has begun.
      if (best === undefined) work += this.#follow(current, 0, none, points, position)
      if (current.steps.length === 0 && best !== undefined) break
      work += current.steps.length
      if (work > this.#budget) {
        throw new RangeError(
          `regular expression ${this.source}: too much work on a text of ${points.length} characters`,
        )
      }
      for (let index = 0; index < current.steps.length; index++) {
        const step = program[current.steps[index]]
        if (step.type === 'match') {
          best = current.captures[index]
          // Those behind it have a lower priority.
          break
        }
        if (step.type === 'set' && position < points.length && step.matches(points[position])) {
          work += this.#follow(following, current.steps[index] + 1, current.captures[index], points, position + 1)
        }
      }
      current.steps.length = 0
      current.captures.length = 0
      ;[current, following] = [following, current]
    }
    return best
  }

  /** Adds all that can be reached from a step without reading a character, in the order of preference. Returns the steps looked at. */
  #follow(threads: Threads, start: number, captures: readonly number[], points: readonly number[], at: number): number {
    const program = this.#program
    const marks = this.#marks
    const stack: { readonly step: number; readonly captures: readonly number[] }[] = [{ step: start, captures }]
    let work = 0
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      work++
      if (marks[top.step] === at) continue
      marks[top.step] = at
      const step = program[top.step]
      switch (step.type) {
        case 'jump':
          stack.push({ step: step.next, captures: top.captures })
          break
        case 'fork':
          stack.push({ step: step.other, captures: top.captures }, { step: step.next, captures: top.captures })
          break
        case 'assertion':
          if (holds(step.at, points, at)) stack.push({ step: top.step + 1, captures: top.captures })
          break
        case 'save': {
          const saved = top.captures.slice()
          saved[step.slot] = at
          work += saved.length >> 2
          stack.push({ step: top.step + 1, captures: saved })
          break
        }
        default:
          threads.steps.push(top.step)
          threads.captures.push(top.captures as number[])
      }
    }
    return work
  }
}

function holds(assertion: Assertion, points: readonly number[], at: number): boolean {
  if (assertion === 'start') return at === 0
  if (assertion === 'end') return at === points.length
  const boundary = (at > 0 && isWord(points[at - 1])) !== (at < points.length && isWord(points[at]))
  return assertion === 'boundary' ? boundary : !boundary
}
