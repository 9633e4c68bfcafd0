/** Jobs of extracts over restarts: what was done stays, what was interrupted says so, what is no whole file goes. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { interrupted, type KeptJob, keptJobs } from './kept-jobs.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bioledger-kept-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const job = (id: string, fields: Partial<KeptJob>): KeptJob => ({
  id,
  body: '{}',
  request: { batchId: 'b', purpose: 'inspection', signaturesOnly: false },
  requestedAt: `2026-11-21T09:00:00.00${id}Z`,
  state: 'waiting',
  done: 0,
  total: 0,
  result: undefined,
  failure: undefined,
  ...fields,
})
const result = { size: 12n, events: 7, manifestSha256: 'x' }

test('a job that was done is found again with its file', async () => {
  const kept = keptJobs(join(folder, 'new'))
  const done = job('1', { state: 'done', result })
  await kept.keep(job('1', {}))
  writeFileSync(kept.fileOf(done), 'zip')
  await kept.keep(done)
  assert.deepEqual(await keptJobs(join(folder, 'new')).load(), [done])
})

test('a job that waited or ran is said to be interrupted, and stays so', async () => {
  const kept = keptJobs(folder)
  await kept.keep(job('2', {}))
  await kept.keep(job('1', { state: 'running' }))
  writeFileSync(kept.fileOf({ id: '1' }), 'half of a zip')
  for (const _ of [1, 2])
    assert.deepEqual(
      (await keptJobs(folder).load()).map(({ id, state, failure }) => [id, state, failure]),
      [
        ['1', 'failed', interrupted],
        ['2', 'failed', interrupted],
      ],
    )
  assert.deepEqual(readdirSync(folder).sort(), ['1.json', '2.json'])
})

test('a file that is not the whole one, or of no job, is not kept', async () => {
  const kept = keptJobs(folder)
  const done = job('1', { state: 'done', result })
  writeFileSync(kept.fileOf(done), 'zip')
  await kept.keep(done)
  truncateSync(kept.fileOf(done), 1)
  writeFileSync(join(folder, '9.zip'), 'of nobody')
  writeFileSync(join(folder, '8.json'), '{"id":"7"')
  const [found] = await kept.load()
  assert.deepEqual([found?.state, found?.failure], ['failed', interrupted])
  assert.deepEqual(readdirSync(folder), ['1.json'])
})

test('a job that is forgotten leaves nothing', async () => {
  const kept = keptJobs(folder)
  writeFileSync(kept.fileOf({ id: '1' }), 'zip')
  await kept.keep(job('1', { state: 'done', result }))
  await kept.forget({ id: '1' })
  assert.deepEqual(readdirSync(folder), [])
})
