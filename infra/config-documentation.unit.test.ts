import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { knownSettings } from './config.ts'

const operations = await readFile(new URL('../docs/operations.md', import.meta.url), 'utf8')

test('the operations guide lists every setting once, with the default that the product has', () => {
  const listed = [...operations.matchAll(/^\| `(BIOLEDGER_\w+)` \| (.*?) \| (.+) \|$/gm)].map(
    ([, name, value]) => [name, value === '–' ? undefined : value?.replaceAll('`', '')],
  )
  assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(knownSettings()))
  assert.equal(listed.length, knownSettings().size)
})

test('the operations guide names every port that the stack publishes, and no other', async () => {
  const stack = await readFile(new URL('../docker-compose.yml', import.meta.url), 'utf8')
  const published = [...stack.matchAll(/'((?:127\.0\.0\.1:)?\d+):\d+'/g)].map(([, port]) => port)
  const listed = [...operations.matchAll(/^\| ((?:127\.0\.0\.1:)?\d+) \|/gm)].map(([, port]) => port)
  assert.ok(published.length > 0)
  assert.deepEqual(listed.sort(), published.sort())
})
