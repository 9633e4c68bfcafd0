/** As of an instant the extract holds what was recorded up to then, and never says "nothing" of what it cannot know. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ExtractRequest } from '../ledger/extract/request.ts'
import { ledgerEvent } from '../ledger/extract/testing/memory-log.ts'
import { type SampleLog, sampleLog } from '../ledger/extract/testing/sample-log.ts'
import { verifyHere, verifyThere } from './testing/agreement.ts'
import { linesOf, takeApart } from './testing/extract-file.ts'
import { extractOf } from './testing/honest-extract.ts'
import { hasPython, pythonVerifier } from './testing/python.ts'

let folder: string
let python: ReturnType<typeof pythonVerifier> | undefined
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'bioledger-as-of-'))
  if (hasPython) python = pythonVerifier()
})
after(async () => {
  await python?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const at = (ms: number) => new Date(ms).toISOString()

/** What both verifiers say, as exit status and as status of the two checks that speak of what is left out. */
async function said(sample: Pick<SampleLog, 'log' | 'batchId'>, asked: Partial<ExtractRequest>) {
  const zip = await extractOf(sample, asked)
  const key = sample.log.logKey.verifierKey
  const verdict = await verifyHere(zip, key)
  const status = (id: string) => verdict.checks.find((one) => one.id === id)?.status
  if (python) {
    const there = await verifyThere(python, folder, zip, key)
    assert.equal(there.exit, verdict.exit, JSON.stringify([there.findings, verdict.findings]))
    assert.equal(there.checks.completeness, status('completeness'))
    assert.equal(there.checks.scope, status('scope'))
  }
  return { zip, verdict, completeness: status('completeness'), scope: status('scope') }
}

/** Half of a batch, a heads statement with readings on their way meanwhile, and readings after it. */
function lateStatement() {
  const sample = sampleLog({ seed: 'late statement', readings: 40, isClosed: false })
  const { log, batchId, endMs } = sample
  const reading = (ms: number) =>
    log.append(
      `reading-${batchId}`,
      {
        ...ledgerEvent(Buffer.from(String(ms).padStart(32, '0')), 'SensorReadingRecorded', ms, {
          vessel: 'V-01',
          tag: 'pH',
          value: 5,
          unit: '[pH]',
          quality: 'good',
        }),
        actor: { kind: 'device', id: 'V-01', role: 'sensor' },
        source: { topic: 'bioprocess/pichia/V-01/sensors/pH', seq: ms },
      },
      ms,
    )
  for (let ms = endMs + 5_000; ms < endMs + 10_000; ms += 100) reading(ms)
  const statedUpToMs = endMs + 9_900
  log.stateHeads(
    endMs + 20_000,
    (all) => all,
    () => {
      for (let ms = endMs + 10_000; ms < endMs + 20_000; ms += 100) reading(ms)
    },
  )
  for (let ms = endMs + 20_000; ms < endMs + 30_000; ms += 100) reading(ms)
  log.publish()
  return { ...sample, statedUpToMs }
}

test('as of an instant each event recorded up to then is in it, of each stream at most one later, and it is not told', async () => {
  const sample = sampleLog({ seed: 'as of an instant', readings: 60, stamps: true })
  const { batchId, startMs, endMs } = sample
  const whole = (await eventsOf(await extractOf(sample))).filter(({ stream }) => stream.endsWith(batchId))
  for (let ms = startMs + 1500; ms < endMs; ms += (endMs - startMs) / 7) {
    const asOf = at(Math.floor(ms))
    const { zip, verdict } = await said(sample, { asOf })
    assert.deepEqual([verdict.exit, verdict.findings], [0, []], asOf)
    assert.match(verdict.verdict, new RegExp(`^VERIFIED as recorded up to ${asOf}`))
    const shown = (await eventsOf(zip)).filter(({ stream }) => stream.endsWith(batchId))
    const isThen = ({ recordedAt }: { recordedAt: string }) => recordedAt <= asOf
    assert.deepEqual(shown.filter(isThen), whole.filter(isThen))
    const later = shown.filter((one) => !isThen(one)).map(({ stream }) => stream)
    assert.equal(new Set(later).size, later.length)
    assert.ok(verdict.story.every(({ at: told }) => told <= asOf))
    assert.ok(verdict.approvals.every((one) => one.at <= asOf))
  }
})

test('a range, or an instant, beyond what the heads statement counts is incomplete, never verified', async () => {
  const sample = lateStatement()
  const ms = sample.statedUpToMs
  for (const asked of [
    { from: at(ms + 1_000), to: at(ms + 2_000) },
    { from: at(ms + 12_000), to: at(ms + 13_000) },
    { asOf: at(ms + 1_000) },
    { asOf: at(ms) },
    { asOf: at(ms + 13_000), from: at(ms + 1_000), to: at(ms + 2_000) },
    { asOf: at(ms + 13_000), signaturesOnly: true },
  ]) {
    const { verdict, completeness, scope } = await said(sample, asked)
    assert.equal(verdict.exit, 2, JSON.stringify(asked))
    assert.match(verdict.verdict, /^INCOMPLETE/)
    assert.deepEqual([completeness, scope], ['not-checked', 'not-checked'])
  }
})

test('what ends before the last entry that the heads statement counts is verified, whatever came meanwhile', async () => {
  const sample = lateStatement()
  const ms = sample.statedUpToMs
  for (const asked of [{ asOf: at(ms - 1) }, { from: at(ms - 3_000), to: at(ms - 1) }, {}]) {
    const { verdict } = await said(sample, asked)
    assert.deepEqual([verdict.exit, verdict.findings], [0, []], JSON.stringify(asked))
  }
})

async function eventsOf(zip: Buffer): Promise<{ stream: string; recordedAt: string; revision: string }[]> {
  const lines = linesOf(await takeApart(zip))
  return lines.map((line) => {
    const { leaf } = JSON.parse(line) as { leaf: { stream: string; recordedAt: string; revision: string } }
    return { stream: leaf.stream, recordedAt: leaf.recordedAt, revision: leaf.revision }
  })
}
