import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { repeatedName } from './repeated-names.ts'

/** Names and text values anywhere in it. */
function strings(value: unknown): number {
  if (typeof value === 'string') return 1
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + strings(one), 0)
  if (typeof value !== 'object' || value === null) return 0
  return Object.entries(value).reduce((sum, [, one]) => sum + 1 + strings(one), 0)
}

test('JSON that says every name once is never accused, whatever its names and texts look like', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      assert.equal(repeatedName(text, strings(JSON.parse(text))), undefined)
    }),
  )
})

test('a name that stands twice in one object is found, also spelt with an escape', () => {
  for (const [text, name] of [
    ['{"a":1,"a":2}', 'a'],
    ['{"at":"x","values":{"pH":5,"DO":3,"pH":6}}', 'pH'],
    ['{"a":1,"\\u0061" : 2}', 'a'],
    ['{"a":{"b":"\\"}"},"c":[{"c":1}],"c":2}', 'c'],
  ] as const)
    assert.equal(repeatedName(text, strings(JSON.parse(text))), name)
})
