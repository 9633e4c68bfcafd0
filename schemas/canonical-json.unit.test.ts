/** RFC 8785 vectors by the author of the RFC, its appendix B and two independent implementations: see `vectors/rfc8785/PROVENANCE.txt`. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, isCanonicalJson, NotCanonicalError } from './canonical-json.ts'

const vectors = new URL('./vectors/rfc8785/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, vectors), 'utf8')

for (const file of readdirSync(new URL('input/', vectors)))
  test(`the published document ${file} gets its published canonical bytes`, () => {
    assert.equal(canonicalJson(JSON.parse(read(`input/${file}`))), read(`output/${file}`))
  })

test('every number of RFC 8785 appendix B is spelt as published, or refused', () => {
  const rows = JSON.parse(read('numbers.json')) as { ieee754Hex: string; json: string | null }[]
  assert.equal(rows.length, 26)
  for (const { ieee754Hex, json } of rows) {
    const value = Buffer.from(ieee754Hex, 'hex').readDoubleBE()
    if (json === null) assert.throws(() => canonicalJson(value), NotCanonicalError, ieee754Hex)
    else assert.equal(canonicalJson(value), json)
  }
})

test('the accept and reject cases of other implementations hold', () => {
  const { accept, reject } = JSON.parse(read('erdtman-cases.json')) as {
    accept: { in: string; out: string }[]
    reject: { in?: string }[]
  }
  for (const row of accept) assert.equal(canonicalJson(JSON.parse(row.in)), row.out)
  const lone = reject.filter((row) => row.in?.includes('\\ud') || row.in?.includes('\\uD'))
  assert.ok(lone.length > 0)
  for (const row of lone) assert.throws(() => canonicalJson(JSON.parse(row.in!)), NotCanonicalError, row.in)
})

test('what JSON cannot carry is refused, naming the rule', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, { deep: [Number.NaN] }, undefined, '\ud800'])
    assert.throws(() => canonicalJson(value), NotCanonicalError)
})

test('canonical text parses back to the same text, and no other spelling counts as canonical', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
      const text = canonicalJson(value)
      assert.ok(isCanonicalJson(text))
      assert.equal(canonicalJson(JSON.parse(text)), text)
      if (typeof value === 'object' && value !== null && Object.keys(value).length > 0)
        assert.ok(!isCanonicalJson(` ${text}`))
    }),
  )
  assert.ok(!isCanonicalJson('{"a":1,"a":1}'), 'duplicate keys')
  assert.ok(!isCanonicalJson('{"b":1,"a":2}'))
  assert.ok(!isCanonicalJson('1.0'))
})
