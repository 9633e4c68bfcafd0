import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileSequenceStore } from './sequence-store.ts'
import { simulateToFile } from './simulator.ts'

const folder = mkdtempSync(join(tmpdir(), 'simulator-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('the same seed writes the same bytes, another seed others', async () => {
  const digest = async (name: string, seed: number) => {
    const path = join(folder, name)
    await simulateToFile({ preset: 'R', seed, limitHours: 0.5 }, path)
    return createHash('sha256').update(readFileSync(path)).digest('hex')
  }
  assert.equal(await digest('a', 7), await digest('b', 7))
  assert.notEqual(await digest('c', 8), await digest('d', 7))
})

test('a file holds every message of the run, its times from the start that was asked for', async () => {
  const path = join(folder, 'run.ndjson')
  const result = await simulateToFile(
    {
      preset: 'N',
      seed: 1,
      limitHours: 0.01,
      vessel: 'V-07',
      start: '2025-05-05T05:00:00+02:00',
      form: 'one-tag',
    },
    path,
  )
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  assert.equal(lines.length, result.messages)
  assert.equal(result.readings, result.messages)
  const first = JSON.parse(lines[0] ?? '')
  assert.equal(first.topic, 'bioprocess/pichia/V-07/sensors/pH')
  assert.equal(first.payload.at, '2025-05-05T03:00:00.000Z')
  assert.equal(result.from, '2025-05-05T03:00:00.000Z')
})

test('wrong options are refused with field, value and rule, and leave no file', async () => {
  const path = join(folder, 'refused.ndjson')
  for (const [options, code, message] of [
    [{ preset: 'X', seed: 1 }, 'unknown-preset', /"X"/],
    [{ preset: 'N', seed: 1.5 }, 'bad-options', /seed: 1.5/],
    [{ preset: 'N', seed: 1, vessel: 'a/b' }, 'bad-options', /vessel: "a\/b"/],
    [{ preset: 'N', seed: 1, start: 'yesterday' }, 'bad-options', /start: "yesterday"/],
    [{ preset: 'N', seed: 1, start: '2025-13-01T00:00:00Z' }, 'bad-options', /start/],
  ] as const)
    await assert.rejects(simulateToFile(options, path), (error: Error & { code: string }) => {
      assert.equal(error.code, code)
      assert.match(error.message, message)
      return true
    })
  await assert.rejects(simulateToFile({ preset: 'N', seed: 1 }, join(folder, 'no', 'where.ndjson')), {
    code: 'bad-options',
  })
  const controller = new AbortController()
  controller.abort()
  await assert.rejects(simulateToFile({ preset: 'N', seed: 1 }, path, { signal: controller.signal }), {
    code: 'aborted',
  })
  assert.ok(!readdirSync(folder).some((name) => name.startsWith('refused')))
})

test('a vessel never uses a sequence number twice, also over restarts', async () => {
  const place = join(folder, 'sequences')
  assert.equal(await fileSequenceStore(place).reserve('V-01', 100), 1)
  assert.equal(await fileSequenceStore(place).reserve('V-01', 50), 101)
  assert.equal(await fileSequenceStore(place).reserve('V-02', 50), 1)
  assert.equal(await fileSequenceStore(place).reserve('V-01', 1), 151)
})
