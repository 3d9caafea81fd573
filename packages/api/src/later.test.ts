import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Later } from './later.ts'

function listenTo(later: Later): unknown[] {
  const heard: unknown[] = []
  later.listen({
    answered: (answer) => heard.push(['answered', answer]),
    failed: (error) => heard.push(['failed', error]),
  })
  return heard
}

test('whoever waits is called at once, and only for the first outcome', () => {
  const later = new Later()
  const heard = listenTo(later)
  later.answer(1)
  later.answer(2)
  later.fail(3)
  assert.deepEqual(heard, [['answered', 1]])
})

test('what is settled before anybody listens is not lost', () => {
  const later = new Later()
  later.fail('no')
  later.answer('yes')
  assert.equal(later.settled, true)
  assert.deepEqual(listenTo(later), [['failed', 'no']])
})

test('one listens', () => {
  const later = new Later()
  listenTo(later)
  assert.throws(() => listenTo(later), /somebody else waits/)
})

test('it can be awaited like a promise', async () => {
  const [good, bad] = [new Later(), new Later()]
  setImmediate(() => {
    good.answer('yes')
    bad.fail(new Error('no'))
  })
  assert.equal(await good, 'yes')
  await assert.rejects(Promise.resolve(bad), /no/)
})
