import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { loadConfig } from './index.ts'
import { configReference } from './reference.ts'
import { brokerSchema } from './schema.ts'

describe('docs/reference/config.md', () => {
  it('is what the schema says', () => {
    const page = readFileSync(new URL('../../../docs/reference/config.md', import.meta.url), 'utf8')
    const lines = page.split('\n')
    const wrong = configReference()
      .split('\n')
      .findIndex((line, index) => line !== lines[index])
    assert.ok(page === configReference(), `line ${wrong + 1} is old; run: npm run docs`)
  })

  it('explains every type', () => {
    const page = configReference()
    for (const { key } of brokerSchema) assert.ok(page.includes(`| \`${key.replace('*', '')}\` |`), key)
  })
})

describe('the schema', () => {
  it('has no spelling twice', () => {
    const spellings = brokerSchema.flatMap(({ key, aliases }) => [key, ...aliases])
    assert.deepEqual(
      spellings.filter((key, index) => spellings.indexOf(key) !== index),
      [],
    )
  })

  it('gives every alias the names of its key', () => {
    const names = (key: string): string =>
      key
        .split('.')
        .filter((word) => word.startsWith('$'))
        .join()
    for (const { key, aliases } of brokerSchema)
      for (const alias of aliases) assert.equal(names(alias), names(key), alias)
  })

  it('has defaults that can be written down', () => {
    for (const { key, type, default: initial } of brokerSchema) {
      if (initial !== undefined) assert.notEqual(type.read(initial, { folder: '.' }), undefined, `${key} = ${initial}`)
    }
    const lines = brokerSchema.flatMap(({ key, default: initial }) =>
      initial === undefined || key.includes('$') ? [] : [`${key} = ${initial}`],
    )
    const written = loadConfig({ text: lines.join('\n') })
    assert.deepEqual(written.options, loadConfig({ text: '' }).options)
  })
})
