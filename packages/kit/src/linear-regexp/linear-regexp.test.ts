import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LinearRegExp, PatternError } from './index.ts'

const match = (pattern: string, text: string): (string | undefined)[] | undefined =>
  new LinearRegExp(pattern).exec(text)

describe('what a pattern matches', () => {
  const cases: readonly [pattern: string, text: string, expected: (string | undefined)[] | undefined][] = [
    ['^x/y/(.+)$', 'x/y/1', ['x/y/1', '1']],
    ['^x/y/(\\d+)$', 'x/y/z', undefined],
    ['^y/(.+)/z/(.+)$', 'y/a/z/b/z/c', ['y/a/z/b/z/c', 'a/z/b', 'c']],
    ['^y/(.+?)/z/(.+)$', 'y/a/z/b/z/c', ['y/a/z/b/z/c', 'a', 'b/z/c']],
    ['b+', 'abbbc', ['bbb']],
    ['a|ab', 'ab', ['a']],
    ['(a)|(b)', 'b', ['b', undefined, 'b']],
    ['(?:ab){2,3}', 'abababab', ['ababab']],
    ['x{0}y', 'xy', ['y']],
    ['a{,3}', 'a{,3}', ['a{,3}']],
    ['^(?<room>[^/]+)/(?P<device>\\w+)', 'r 1/dev', ['r 1/dev', 'r 1', 'dev']],
    ['(?i)^SENSOR/([a-c]+)', 'sensor/AbC', ['sensor/AbC', 'AbC']],
    ['[\\d\\-x]+', 'a-1x', ['-1x']],
    ['[]a]+', 'a]', ['a]']],
    ['[^]a]+', ']b', ['b']],
    ['[[:alpha:]]+[[:digit:]]', 'ab1', ['ab1']],
    ['\\bfoo\\b', 'a foo b', ['foo']],
    ['\\Bo', 'foo', ['o']],
    ['\\$\\.\\x41\\x{1F600}', '$.A😀', ['$.A😀']],
    ['^.$', '😀', ['😀']],
    ['^(.)(.)$', '😀b', ['😀b', '😀', 'b']],
    ['.', '\n', undefined],
    ['', 'abc', ['']],
    ['(a*)*', 'aa', ['aa', 'aa']],
    ['^(?:a|b|)+$', 'abba', ['abba']],
  ]
  for (const [pattern, text, expected] of cases) {
    test(`${pattern || 'nothing'} on ${JSON.stringify(text)}`, () => assert.deepEqual(match(pattern, text), expected))
  }
})

describe('what is refused, and where', () => {
  const cases: readonly [pattern: string, column: number, problem: RegExp][] = [
    ['a(b', 2, /'\(' is never closed/],
    ['ab)', 3, /'\)' without '\('/],
    ['*a', 1, /nothing to repeat/],
    ['a**', 3, /repetition of a repetition/],
    ['a++', 3, /possessive/],
    ['(a)\\1', 4, /back-references/],
    ['(?=a)', 3, /no look-around/],
    ['(?<!a)', 3, /no look-around/],
    ['[b-a]', 5, /out of order/],
    ['[a', 1, /never closed/],
    ['[[:nope:]]', 2, /no class/],
    ['a{3,2}', 2, /out of order/],
    ['a\\', 2, /backslash at the end/],
    ['\\q', 1, /\\q is not supported/],
    ['((a{99}){99}){99}', 1, /too large/],
    ['(a{1000}){1000}', 1, /too large/],
    ['('.repeat(200) + ')'.repeat(200), 102, /nested deeper/],
  ]
  for (const [pattern, column, problem] of cases) {
    test(pattern.slice(0, 30), () => {
      assert.throws(
        () => new LinearRegExp(pattern),
        (error: unknown) => {
          assert.ok(error instanceof PatternError, String(error))
          assert.match(error.message, problem)
          assert.equal(error.column, column)
          return true
        },
      )
    })
  }
})

const letter = fc.constantFrom('a', 'b', 'c', '/', '1', '.', '[ab]', '[^a]', '\\d', '\\w', '[a-c/]')
const repetition = fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,3}', '{1,}', '*?', '+?', '??', '{1,3}?')
// An alternative that can be empty, repeated, means different things in PCRE and JavaScript: nothing repeated is empty here.
const piece: fc.Arbitrary<string> = fc.oneof(
  letter,
  fc.tuple(letter, repetition).map(([one, times]) => one + times),
  fc
    .tuple(fc.array(letter, { minLength: 1, maxLength: 3 }), repetition)
    .map(([all, times]) => `(?:${all.join('')})${times}`),
  fc.tuple(letter, letter, letter, repetition).map(([a, b, c, times]) => `(?:${a}|${b}${c})${times}`),
)
const run = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''))
const pattern = fc
  .tuple(
    fc.constantFrom('', '^'),
    fc.array(
      fc.oneof(
        run,
        run.map((one) => `(${one})`),
        fc.tuple(run, run).map(([a, b]) => `(${a}|${b})`),
      ),
      { minLength: 1, maxLength: 4 },
    ),
    fc.constantFrom('', '$', '\\b'),
  )
  .map(([start, parts, end]) => start + parts.join('') + end)
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', '/', '1', 'x'), { maxLength: 14 })
  .map((letters) => letters.join(''))

test('agrees with the engine of JavaScript, groups too', () => {
  fc.assert(
    fc.property(pattern, text, (source, subject) => {
      const expected = new RegExp(source, 'u').exec(subject)
      assert.deepEqual(match(source, subject), expected === null ? undefined : [...expected], `${source} on ${subject}`)
    }),
    { numRuns: 3000 },
  )
})

test('any text is read as a pattern or refused with a PatternError', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 30, unit: fc.constantFrom(...'ab(|)[]{}*+?\\^$.-,:<>=!12') }), (source) => {
      try {
        new LinearRegExp(source).exec('ab12')
      } catch (error) {
        assert.ok(error instanceof PatternError, `${source}: ${String(error)}`)
      }
    }),
    { numRuns: 3000 },
  )
})

test('patterns that take a backtracking engine for ever are answered, in work that grows with the length', () => {
  for (const evil of ['^(a+)+$', '^(a|aa)+$', '(a*)*b', '^(([a-z])+.)+[A-Z]([a-z])+$', '(x+x+)+y', '^(a?){50}a{50}$']) {
    assert.equal(match(evil, `${'a'.repeat(20_000)}!`), undefined, evil)
  }
})

test('more work than the budget is an error, not a wait', () => {
  const expression = new LinearRegExp('(a|b|ab)*c', 10_000)
  assert.equal(expression.exec('ab'.repeat(50)), undefined)
  assert.throws(() => expression.exec('ab'.repeat(5000)), RangeError)
  assert.deepEqual(expression.exec('abc'), ['abc', 'b'], 'works on afterwards')
})
