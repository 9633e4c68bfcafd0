/** Random batches and ranges, written and verified by both verifiers: none may raise a false alarm. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExtractRequest } from '../../ledger/extract/request.ts'
import { sampleLog } from '../../ledger/extract/testing/sample-log.ts'
import { verifyHere, verifyThere } from './agreement.ts'
import { extractOf } from './honest-extract.ts'
import { hasPython, pythonVerifier } from './python.ts'

/** Runs `from` … `to` − 1; each is drawn from its number alone. */
export async function tryHonestExtracts(from: number, to: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bioledger-honest-'))
  const python = hasPython ? pythonVerifier() : undefined
  try {
    for (let run = from; run < to; run++) {
      const { sample, asked } = draw(run)
      const zip = await extractOf(sample, asked)
      const key = sample.log.logKey.verifierKey
      const verdict = await verifyHere(zip, key)
      assert.deepEqual([verdict.exit, verdict.findings], [0, []], `run ${run}: ${JSON.stringify(asked)}`)
      if (!python) continue
      const there = await verifyThere(python, folder, zip, key)
      assert.deepEqual(
        [there.exit, there.findings],
        [0, []],
        `run ${run} in Python: ${JSON.stringify(asked)}`,
      )
    }
  } finally {
    await python?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function draw(run: number) {
  const random = (what: string, below: number) =>
    createHash('sha256').update(`${run} ${what}`).digest().readUInt32BE(0) % below
  const sample = sampleLog({
    seed: `honest ${run}`,
    readings: random('readings', 150),
    others: random('others', 4),
    isClosed: random('closed', 2) === 0,
    stamps: random('stamps', 2) === 0,
    later: random('later', 4),
  })
  const instant = (what: string) =>
    new Date(sample.startMs - 5_000 + random(what, sample.endMs - sample.startMs + 5_900)).toISOString()
  const [first = '', second = ''] = [instant('from'), instant('to')].sort()
  const created = new Date(sample.startMs + 1500).toISOString()
  const asOf = second > created ? second : created
  const scopes: Partial<ExtractRequest>[] = [
    {},
    { signaturesOnly: true },
    { from: first, to: second },
    { from: first },
    { to: second },
    { from: first, to: first },
    { asOf },
    { asOf, signaturesOnly: true },
    { asOf, from: first },
    { asOf, to: first },
  ]
  const asked = scopes[random('scope', scopes.length)] ?? {}
  return { sample, asked: { ...asked, purposeText: `run ${run} – „Zweck“` } }
}
