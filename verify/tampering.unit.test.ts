/** Every way to tamper with an extract is found, by both verifiers, and where an event is bad, that event is named. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { verifyHere, verifyThere } from './testing/agreement.ts'
import { droppedStreams } from './testing/dropped-streams.ts'
import { putTogether } from './testing/extract-file.ts'
import { forgedLogs } from './testing/forged-logs.ts'
import { honestExtract } from './testing/honest-extract.ts'
import { oddLogs } from './testing/odd-logs.ts'
import { hasPython, pythonVerifier } from './testing/python.ts'
import { tamperedCheckpoint } from './testing/tampered-checkpoint.ts'
import { tamperedEvents } from './testing/tampered-events.ts'
import { tamperedHeads } from './testing/tampered-heads.ts'
import { tamperedManifest } from './testing/tampered-manifest.ts'
import { tamperedProof } from './testing/tampered-proof.ts'
import { tamperedRenderings } from './testing/tampered-renderings.ts'
import { tamperedReports } from './testing/tampered-reports.ts'
import { tamperedZip } from './testing/tampered-zip.ts'
import { zipTricks } from './testing/zip-tricks.ts'

const cases = [
  ...tamperedEvents,
  ...tamperedProof,
  ...tamperedCheckpoint,
  ...tamperedHeads,
  ...tamperedManifest,
  ...tamperedRenderings,
  ...tamperedReports,
  ...tamperedZip,
  ...zipTricks,
  ...forgedLogs,
  ...droppedStreams,
  ...oddLogs,
]

describe('an extract that somebody tampered with', () => {
  let honest: Awaited<ReturnType<typeof honestExtract>>
  let folder: string
  let python: ReturnType<typeof pythonVerifier> | undefined
  before(async () => {
    honest = await honestExtract()
    folder = mkdtempSync(join(tmpdir(), 'bioledger-tampering-'))
    if (hasPython) python = pythonVerifier()
  })
  after(async () => {
    await python?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('the honest extract that the cases start from verifies, as it was written and zipped anew', async () => {
    for (const zip of [honest.zip, putTogether(honest.members())]) {
      const verdict = await verifyHere(zip, honest.logKey.verifierKey)
      assert.deepEqual([verdict.exit, verdict.findings], [0, []])
      if (!python) continue
      const there = await verifyThere(python, folder, zip, honest.logKey.verifierKey)
      assert.deepEqual([there.exit, there.findings], [0, []])
    }
  })

  test('at least 100 cases are tried, no two of the same name', () => {
    assert.ok(cases.length >= 100, `${cases.length}`)
    assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length)
  })

  for (const tampered of cases)
    test(`${tampered.name}: FAIL`, async () => {
      const made = await tampered.make(honest)
      const zip = Buffer.isBuffer(made) ? made : putTogether(made)
      const key = tampered.key?.(honest) ?? honest.logKey.verifierKey
      const expected = tampered.event?.(honest)
      const verdict = await verifyHere(zip, key)
      assert.equal(verdict.exit, 1)
      const failed = verdict.checks.filter(({ status }) => status === 'fail').map(({ id }) => id)
      assert.ok(
        failed.includes(tampered.check),
        `failed: ${failed.join()}: ${JSON.stringify(verdict.findings[0])}`,
      )
      if (expected) assert.deepEqual(named(verdict.firstBadEvent), expected)
      if (!python) return
      const there = await verifyThere(python, folder, zip, key)
      assert.equal(there.exit, 1)
      assert.equal(there.checks[tampered.check], 'fail', JSON.stringify(there.findings.slice(0, 3)))
      if (expected) assert.deepEqual(named(there.firstBadEvent), expected)
    })
})

function named(event: { stream: string; revision: number } | null | undefined) {
  return event ? { stream: event.stream, revision: event.revision } : event
}
