import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseTerm, parseTerms } from './parse.ts'
import { printTerm, printTerms } from './print.ts'
import { type Term, TermError } from './term.ts'

type Plain = string | number | bigint | boolean | null | { [key: string]: Plain } | Plain[]

/** A term without places, short enough to compare by eye. */
function plain(term: Term): Plain {
  switch (term.type) {
    case 'atom':
      return { atom: term.name }
    case 'integer':
      return term.value
    case 'float':
      return { float: Object.is(term.value, -0) ? '-0' : term.value }
    case 'string':
      return term.text
    case 'binary':
      return { binary: term.text }
    case 'list':
      return term.elements.map(plain)
    case 'tuple':
      return { tuple: term.elements.map(plain) }
  }
}

const read = (text: string): Plain => plain(parseTerm(text, 'test.config'))

describe('terms', () => {
  const cases: [string, Plain][] = [
    ['a.', { atom: 'a' }],
    ['emq_auth@Host1.', { atom: 'emq_auth@Host1' }],
    ["'and'.", { atom: 'and' }],
    ["'with space'.", { atom: 'with space' }],
    ["''.", { atom: '' }],
    ["'it\\'s'.", { atom: "it's" }],
    ['60.', 60n],
    ['-1.', -1n],
    ['+7.', 7n],
    ['1.5.', { float: 1.5 }],
    ['-2.5e-3.', { float: -0.0025 }],
    ['1.', 1n],
    ['16#FF.', 255n],
    ['-2#101.', -5n],
    ['123456789012345678901234567890.', 123456789012345678901234567890n],
    ['"".', ''],
    ['"a" "b"\n  "c".', 'abc'],
    ['"q\\" b\\\\ n\\n t\\t r\\r".', 'q" b\\ n\n t\t r\r'],
    ['"\\101\\x42\\x{1F600}\\^A\\d\\s\\z".', 'AB\u{1F600}\u0001\x7f z'],
    ['"two\nlines".', 'two\nlines'],
    ['<<"t">>.', { binary: 't' }],
    ['<<>>.', { binary: '' }],
    ['<< "gr\u00fc\u00df"/utf8 >>.', { binary: 'gr\u00fc\u00df' }],
    ['[].', []],
    ['{}.', { tuple: [] }],
    ['[a, b].', [{ atom: 'a' }, { atom: 'b' }]],
    ['{a,[{b,"c"}]}.', { tuple: [{ atom: 'a' }, [{ tuple: [{ atom: 'b' }, 'c'] }]] }],
    ['% comment\n [ % inside\n a % again\n ] . % end', [{ atom: 'a' }]],
    ['"50% of it".', '50% of it'],
    ['\ufeffa.\r\n', { atom: 'a' }],
  ]
  for (const [text, expected] of cases) {
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(read(text), expected))
  }

  it('reads a sequence, none and all on one line included', () => {
    assert.deepEqual(parseTerms('', 'f'), [])
    assert.deepEqual(parseTerms(' % nothing\n', 'f'), [])
    assert.deepEqual(parseTerms('a. b. {c}.', 'f').map(plain), [
      { atom: 'a' },
      { atom: 'b' },
      { tuple: [{ atom: 'c' }] },
    ])
  })

  it('reads the example files that users have', () => {
    assert.deepEqual(read('[\n  {emq_sockjs, [\n    {sockjs, []},\n    {options, [{max_clients, 512}]}\n  ]}\n].'), [
      {
        tuple: [
          { atom: 'emq_sockjs' },
          [
            { tuple: [{ atom: 'sockjs' }, []] },
            { tuple: [{ atom: 'options' }, [{ tuple: [{ atom: 'max_clients' }, 512n] }]] },
          ],
        ],
      },
    ])
  })

  it('knows where each term begins', () => {
    const [, second] = parseTerms('a.\n  {b,\n    "c"}.', 'f')
    assert.deepEqual([second.line, second.column], [2, 3])
    assert.ok(second.type === 'tuple')
    assert.deepEqual([second.elements[1].line, second.elements[1].column], [3, 5])
  })
})

describe('errors of terms', () => {
  const cases: [string, string][] = [
    ['{allow, all}', 'f:1:13: expected "." after the term, got the end of the file'],
    ['{allow, all}\n{deny, all}.', 'f:2:1: expected "." after the term, got "{"'],
    ['[a, b,].', 'f:1:7: expected an atom, number, "string", <<"binary">>, [list] or {tuple}, got "]"'],
    ['{a b}.', 'f:1:4: expected "," or "}", got "b"'],
    ['[a}.', 'f:1:3: expected "," or "]", got "}"'],
    ['\n\n  Variable.', 'f:3:3: expected an atom, number, "string", <<"binary">>, [list] or {tuple}, got "Variable"'],
    ['"open.', 'f:1:1: expected a closing ", got the end of the file'],
    ["{a, 'open}.", "f:1:5: expected a closing ', got the end of the file"],
    ['"\\xZZ".', 'f:1:2: expected two hexadecimal digits after \\x, got "xZZ"'],
    ['2#12.', 'f:1:1: expected digits of a base from 2 to 36, got 2#12'],
    ['<<1>>.', 'f:1:3: expected <<"text">>, got "1"'],
    ['a.b', 'f:1:2: expected "." after the term, got "."'],
    ['#{a => 1}.', 'f:1:1: expected an atom, number, "string", <<"binary">>, [list] or {tuple}, got "#"'],
    ['1.5e999.', 'f:1:1: expected a number that fits 64 bits, got 1.5e999'],
  ]
  for (const [text, message] of cases) {
    it(`says ${message}`, () => assert.throws(() => parseTerms(text, 'f'), { name: 'TermError', message }))
  }

  it('refuses a second term where one belongs, and none', () => {
    assert.throws(() => parseTerm('a.\nb.', 'f'), {
      message: 'f:2:1: expected nothing after the one term of this file, got "b"',
    })
    assert.throws(() => parseTerm('', 'f'), TermError)
  })

  it('refuses nesting that would exhaust the stack', () => {
    assert.throws(() => parseTerms('['.repeat(100_000), 'f'), /at most 100 levels/)
  })
})

describe('terms under random input', () => {
  const pieces = fc.constantFrom(
    ...'{ } [ ] , . " \' << >> % \n \\ \\x a all 1 -1 1.5 16#F # "t" <<"b">> {allow,all}. é 😀 \0'.split(' '),
  )

  it('never throws anything but TermError', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (input) => {
        try {
          parseTerms(input, 'f')
        } catch (error) {
          assert.ok(error instanceof TermError, String(error))
          assert.match(error.message, /^f:\d+:\d+: expected /)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('prints what it reads back as the same term', () => {
    const at = { line: 1, column: 1 }
    const { term } = fc.letrec<{ term: Term }>((tie) => ({
      term: fc.oneof(
        { depthSize: 'small' },
        fc.string({ unit: 'grapheme' }).map((name): Term => ({ type: 'atom', name, ...at })),
        fc.bigInt().map((value): Term => ({ type: 'integer', value, ...at })),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value): Term => ({ type: 'float', value, ...at })),
        fc.string({ unit: 'grapheme' }).map((text): Term => ({ type: 'string', text, ...at })),
        fc.string({ unit: 'grapheme' }).map((text): Term => ({ type: 'binary', text, ...at })),
        fc.array(tie('term'), { maxLength: 4 }).map((elements): Term => ({ type: 'list', elements, ...at })),
        fc.array(tie('term'), { maxLength: 4 }).map((elements): Term => ({ type: 'tuple', elements, ...at })),
      ),
    }))
    fc.assert(
      fc.property(fc.array(term, { maxLength: 4 }), (terms) => {
        assert.deepEqual(parseTerms(printTerms(terms), 'f').map(plain), terms.map(plain))
      }),
      { numRuns: 1000 },
    )
  })

  it('quotes reserved words and writes floats with a fraction', () => {
    assert.equal(printTerms(parseTerms("{'and', [1, 1.0, 1.0e21, -1]}.", 'f')), "{'and',[1,1.0,1.0e+21,-1]}.\n")
    assert.equal(printTerm(parseTerm('{emq_recon, true}.', 'f')), '{emq_recon,true}')
  })
})
