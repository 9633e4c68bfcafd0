/** Honest extracts of small logs in memory, written by the product's own writer. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExtractRequest } from '../../ledger/extract/request.ts'
import { asSigningKey, memoryLog } from '../../ledger/extract/testing/memory-log.ts'
import { type SampleLog, sampleLog } from '../../ledger/extract/testing/sample-log.ts'
import { writeExtract } from '../../ledger/extract/write-extract.ts'
import type { NoteSigner } from '../../ledger/log/note.ts'
import { takeApart } from './extract-file.ts'
import type { Honest } from './tamper-case.ts'

/** The bytes of the extract of the sample's batch as of its last checkpoint. */
export async function extractOf(
  { log, batchId }: Pick<SampleLog, 'log' | 'batchId'>,
  asked: Partial<ExtractRequest> = {},
): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'bioledger-extract-'))
  try {
    const checkpoint = await log.head()
    if (!checkpoint) throw new Error('no checkpoint')
    const out = join(folder, 'extract.zip')
    await writeExtract(
      { batchId, purpose: 'inspection', signaturesOnly: false, ...asked },
      checkpoint,
      { log, payloadOf: log.payloadOf, exportKey: asSigningKey(log.exportKey) },
      out,
    )
    return readFileSync(out)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The honest extract that the cases of tampering start from. */
export async function honestExtract(seed = 'honest'): Promise<Honest & { readonly zip: Buffer }> {
  const sample = sampleLog({ seed, readings: 120, stamps: true })
  const zip = await extractOf(sample)
  const members = await takeApart(zip)
  return {
    zip,
    members: () => new Map(members),
    batchId: sample.batchId,
    logKey: sample.log.logKey,
    exportKey: sample.log.exportKey,
  }
}

export type OtherLog = {
  readonly logKey: NoteSigner
  readonly exportKey: NoteSigner
  readonly note: string
  readonly size: bigint
  readonly root: Buffer
  readonly manifestSignature: string
}

let other: OtherLog | undefined

/** A log of the same origin with other keys, as a forger would set one up. */
export function otherLog(): OtherLog {
  if (other) return other
  const { log } = sampleLog({ seed: 'another log', readings: 20 })
  const { note, size, root } = log.publish()
  const strange = memoryLog('strange')
  const manifestSignature = `bioledger-extract/v1\nx\n1\nx\nx\n\n— ${strange.exportKey.name} ${Buffer.alloc(68).toString('base64')}\n`
  other = { logKey: log.logKey, exportKey: log.exportKey, note, size, root, manifestSignature }
  return other
}
