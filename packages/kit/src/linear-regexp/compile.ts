import type { Assertion, CharacterSet, Node } from './syntax.ts'

/** One step of a program; `next` and `other` are indices of steps. Of a fork `next` is tried first. */
export type Step =
  | { readonly type: 'set'; readonly matches: (codePoint: number) => boolean }
  | { readonly type: 'assertion'; readonly at: Assertion }
  | { readonly type: 'save'; readonly slot: number }
  | { readonly type: 'fork'; next: number; other: number }
  | { readonly type: 'jump'; next: number }
  | { readonly type: 'match' }

/** Returns undefined when the program would have more than `limit` steps: repetitions are written out. */
export function compile(node: Node, limit: number): readonly Step[] | undefined {
  const steps: Step[] = []
  const emit = (step: Step): number => steps.push(step) - 1
  const fork = (greedy: boolean): ((inside: number, outside: number) => void) => {
    const step = { type: 'fork' as const, next: -1, other: -1 }
    emit(step)
    return (inside, outside) => {
      step.next = greedy ? inside : outside
      step.other = greedy ? outside : inside
    }
  }

  const write = (part: Node): void => {
    if (steps.length > limit) return
    switch (part.type) {
      case 'empty':
        return
      case 'set':
        emit({ type: 'set', matches: matcher(part.set) })
        return
      case 'assertion':
        emit({ type: 'assertion', at: part.at })
        return
      case 'group':
        emit({ type: 'save', slot: part.index * 2 })
        write(part.body)
        emit({ type: 'save', slot: part.index * 2 + 1 })
        return
      case 'sequence':
        for (const item of part.items) write(item)
        return
      case 'choice':
        writeChoice(part.items)
        return
      case 'repeat':
        writeRepeat(part)
    }
  }

  const writeChoice = (items: readonly Node[]): void => {
    const ends: { type: 'jump'; next: number }[] = []
    items.forEach((item, index) => {
      const last = index === items.length - 1
      const branch = last ? undefined : fork(true)
      const start = steps.length
      write(item)
      if (branch === undefined) return
      const end = { type: 'jump' as const, next: -1 }
      emit(end)
      ends.push(end)
      branch(start, steps.length)
    })
    for (const end of ends) end.next = steps.length
  }

  const writeRepeat = ({ body, minimum, maximum, greedy }: Extract<Node, { type: 'repeat' }>): void => {
    for (let count = 0; count < minimum - 1 && steps.length <= limit; count++) write(body)
    if (maximum === Number.POSITIVE_INFINITY) {
      // `x*` is `(?:x+)?`: so an empty x cannot make the loop skip what stands behind it.
      const skip = minimum === 0 ? fork(greedy) : undefined
      const start = steps.length
      write(body)
      const again = fork(greedy)
      again(start, steps.length)
      skip?.(start, steps.length)
      return
    }
    if (minimum > 0) write(body)
    const skips: { branch: (inside: number, outside: number) => void; start: number }[] = []
    for (let count = minimum; count < maximum && steps.length <= limit; count++) {
      const branch = fork(greedy)
      skips.push({ branch, start: steps.length })
      write(body)
    }
    for (const { branch, start } of skips) branch(start, steps.length)
  }

  emit({ type: 'save', slot: 0 })
  write(node)
  emit({ type: 'save', slot: 1 })
  emit({ type: 'match' })
  return steps.length > limit ? undefined : steps
}

/** Tests one code point: a table for ASCII, ranges beyond. */
function matcher({ ranges, negated }: CharacterSet): (codePoint: number) => boolean {
  const within = (codePoint: number): boolean =>
    ranges.some(([from, to]) => codePoint >= from && codePoint <= to) !== negated
  const table = Array.from({ length: 128 }, (_, codePoint) => within(codePoint))
  return (codePoint) => (codePoint < 128 ? table[codePoint] : within(codePoint))
}
