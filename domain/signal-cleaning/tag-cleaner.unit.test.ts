import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findTag, type TagDefinition, tagDefinitions } from '../../schemas/tags.ts'
import { rules } from './cleaning-rules.ts'
import { tagCleaner } from './tag-cleaner.ts'

const tag = (name: string): TagDefinition => {
  const definition = findTag(name)
  assert.ok(definition)
  return definition
}

test('an impossible value is invalid, never clipped into range', () => {
  const cleaner = tagCleaner(tag('pH'))
  for (let second = 0; second < 100; second++) cleaner.judge(second * 1000, 5, '[pH]', 'good')
  for (const value of [-999, 1.99, 10.01, Number.NaN, Number.POSITIVE_INFINITY]) {
    const verdict = cleaner.judge(100_000, value, '[pH]', 'good')
    assert.deepEqual([verdict.kind, verdict.rule], ['invalid', rules.hardBounds])
    assert.ok(Number.isNaN(verdict.value))
  }
})

test('bounds are judged before the quality at the source', () => {
  assert.equal(tagCleaner(tag('pH')).judge(0, -999, '[pH]', 'bad').rule, rules.hardBounds)
  assert.equal(tagCleaner(tag('pH')).judge(0, 5, '[pH]', 'bad').rule, rules.badAtSource)
})

test('DO above 100 % and exhaust O2 above 25 % are possible; DO below -5 or above 200 % is not', () => {
  const kind = (name: string, value: number) => tagCleaner(tag(name)).judge(0, value, '%', 'good').kind
  assert.equal(kind('DO', 103.2), 'good')
  assert.equal(kind('DO', 200), 'good')
  assert.equal(kind('DO', 200.1), 'invalid')
  assert.equal(kind('DO', -5), 'good')
  assert.equal(kind('DO', -5.1), 'invalid')
  assert.equal(kind('Off_Gas_O2', 29.9), 'good')
  assert.equal(kind('Off_Gas_O2', 60.1), 'invalid')
})

test('a value in another of the units of its tag is judged and given in the tag’s own', () => {
  const pressure = tagCleaner(tag('Reactor_Pressure'))
  assert.deepEqual(
    { ...pressure.judge(0, 101.3, 'kPa', 'good') },
    {
      kind: 'good',
      value: 101.3 * 0.01,
      rule: undefined,
    },
  )
  assert.equal(pressure.judge(0, 1.7, 'bar', 'good').kind, 'invalid')
  assert.equal(pressure.judge(0, 1, 'psi', 'good').rule, rules.unknownUnit)
})

test('an uncertain reading is used as it is and never counted as good', () => {
  assert.deepEqual(
    { ...tagCleaner(tag('pH')).judge(0, 5, '[pH]', 'uncertain') },
    {
      kind: 'uncertain',
      value: 5,
      rule: rules.uncertainAtSource,
    },
  )
})

test('a setpoint may step', () => {
  const cleaner = tagCleaner(tag('Stir_SP'))
  for (let second = 0; second < 300; second++) cleaner.judge(second * 1000, 500, '{rpm}', 'good')
  assert.equal(cleaner.judge(300_000, 550, '{rpm}', 'good').kind, 'good')
})

test('cleaning never makes a value outside the hard bounds of its tag', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...tagDefinitions),
      fc.array(fc.double({ min: -300, max: 1500 }), { minLength: 20, maxLength: 80 }),
      (definition, values) => {
        const cleaner = tagCleaner(definition)
        const [low, high] = definition.hardBounds
        values.forEach((value, second) => {
          const verdict = cleaner.judge(second * 1000, value, definition.unit, 'good')
          if (verdict.kind === 'invalid') assert.ok(!(value >= low && value <= high))
          else assert.ok(verdict.value >= low && verdict.value <= high, `${value} became ${verdict.value}`)
          if (verdict.kind === 'good') assert.equal(verdict.value, value)
        })
      },
    ),
  )
})
