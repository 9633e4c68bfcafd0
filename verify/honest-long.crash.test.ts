/** A thousand honest extracts, no false alarm; takes minutes, so it runs with the long tests. */
import { test } from 'node:test'
import { tryHonestExtracts } from './testing/honest-runs.ts'

test('a thousand honest extracts of random batches and ranges verify in both verifiers', async () => {
  await tryHonestExtracts(100, 1100)
})
