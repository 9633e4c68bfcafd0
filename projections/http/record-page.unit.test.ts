import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordPage } from './record-page.ts'

test('a record is shown whole and in its order, and nothing in it is taken for markup', () => {
  const page = recordPage(
    'Model card: od600 1.0.0',
    {
      intendedUse: '<script>alert(1)</script>',
      phases: ['lag', 'exponential'],
      metrics: [
        { horizon: 'PT30M', mre: 0.031 },
        { horizon: 'PT1H', mre: 0.046 },
      ],
      limits: { CER: null },
    },
    'ab12',
  )
  assert.doesNotMatch(page, /<script>/)
  assert.match(page, /<dt>Intended use<\/dt><dd>&lt;script&gt;alert\(1\)&lt;\/script&gt;<\/dd>/)
  assert.match(page, /<ul><li>lag<\/li><li>exponential<\/li><\/ul>/)
  assert.match(page, /<th scope="col">Horizon<\/th><th scope="col">Mre<\/th>/)
  assert.match(page, /<td>PT1H<\/td><td>0\.046<\/td>/)
  assert.match(page, /<dt>CER<\/dt><dd>–<\/dd>/)
  assert.match(page, /SHA-256 of the record <code>ab12<\/code>/)
})
