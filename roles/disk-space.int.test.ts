import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { diskSpacePart, freeDiskBytes } from './disk-space.ts'

test('a disk with room is ready, one below the bound is not and says which folder and how much', async () => {
  const free = await freeDiskBytes(tmpdir())
  assert.ok(free > 0)
  assert.deepEqual(await diskSpacePart([tmpdir()], 1).readiness(), { ok: true })
  const full = await diskSpacePart([tmpdir()], Number.MAX_SAFE_INTEGER).readiness()
  assert.equal(full.ok, false)
  assert.match(full.detail ?? '', /^\d+ MiB left in .+, at least \d+ MiB are needed$/)
})

test('the metric shows the tightest of the folders once it was looked at', async () => {
  const part = diskSpacePart([tmpdir(), '/'])
  await part.readiness()
  const shown = part.metrics.bioledger_disk_free_bytes?.read()
  assert.ok(typeof shown === 'number' && shown > 0)
})
