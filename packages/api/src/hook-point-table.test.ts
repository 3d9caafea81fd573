import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HookRegistrationError, hookPointAliases, hookPointNames, hookPointTable, resolveHookPoint } from './index.ts'

describe('the table of hook points', () => {
  it('has the nineteen points that EMQX gives to external hooks', () => {
    for (const name of [
      'client.connect',
      'client.connack',
      'client.connected',
      'client.disconnected',
      'client.authenticate',
      'client.authorize',
      'client.subscribe',
      'client.unsubscribe',
      'session.created',
      'session.subscribed',
      'session.unsubscribed',
      'session.resumed',
      'session.discarded',
      'session.takenover',
      'session.terminated',
      'message.publish',
      'message.delivered',
      'message.dropped',
      'message.acked',
    ])
      assert.equal(resolveHookPoint(name), name)
  })

  it('lets only folds refuse, and only message.publish have sinks', () => {
    for (const name of hookPointNames) {
      const { kind, refusals, phases, accumulator } = hookPointTable[name]
      if (kind === 'notification') assert.deepEqual(refusals, {}, name)
      assert.equal(accumulator === undefined, kind === 'notification', name)
      assert.equal(phases.length, name === 'message.publish' ? 2 : 1, name)
    }
  })

  it('says what each thing is in one sentence', () => {
    for (const name of hookPointNames) {
      const { description, when, args } = hookPointTable[name]
      for (const text of [description, when, ...Object.values(args)]) assert.match(text, /^\S.*\.$/, name)
      assert.equal(description.match(/\. /g), null, name)
    }
  })

  it('has no alias that is a name itself or means two points', () => {
    const old = hookPointNames.flatMap((name) => [...hookPointTable[name].oldNames])
    assert.equal(new Set(old).size, old.length)
    assert.equal(hookPointAliases.size, old.length)
    for (const name of old) assert.ok(!Object.hasOwn(hookPointTable, name), name)
  })
})

describe('resolveHookPoint', () => {
  for (const [old, name] of [
    ['client.check_acl', 'client.authorize'],
    ['session.takeovered', 'session.takenover'],
  ])
    it(`takes ${old} for ${name}`, () => {
      assert.equal(resolveHookPoint(old), name)
    })

  for (const [wrong, hint] of [
    ['message.publsh', 'did you mean message.publish?'],
    ['Message.Publish', 'did you mean message.publish?'],
    ['mqtt.publish', 'did you mean message.publish?'],
    ['session.takeover', 'did you mean session.takenover'],
    ['toString', 'the hook points are client.connect,'],
    ['__proto__', 'the hook points are client.connect,'],
    ['', 'the hook points are client.connect,'],
    ['x'.repeat(10_000), 'the hook points are client.connect,'],
  ])
    it(`answers '${wrong.slice(0, 20)}' with: ${hint}`, () => {
      assert.throws(
        () => resolveHookPoint(wrong),
        (error) =>
          error instanceof HookRegistrationError &&
          error.code === 'invalid_hookpoint' &&
          error.message.includes(`'${wrong}'`) &&
          error.message.includes(hint),
      )
    })
})
