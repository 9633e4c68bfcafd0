/** Entries that the product never writes, and key histories that take something back: both verifiers must say the same. */

import { ledgerEvent } from '../../ledger/extract/testing/memory-log.ts'
import { type SampleLog, sampleLog } from '../../ledger/extract/testing/sample-log.ts'
import { noteSigner } from '../../ledger/log/note.ts'
import { leafHash } from '../../ledger/log/tree-hash.ts'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import type { CheckId } from '../src/findings.ts'
import type { JsonRecord } from './extract-file.ts'
import { type Forged, forgery } from './forgery.ts'
import { extractOf } from './honest-extract.ts'

type Leaf = JsonRecord & { data: JsonRecord }

function withReading(name: string, change: (leaf: Leaf) => void) {
  return forgery(`a reading with ${name}`, 'leaves', async () => {
    const made = sampleLog({ seed: name, readings: 20, isClosed: false })
    const { log, batchId, endMs } = made
    const stream = `reading-${batchId}`
    const count = log.countOf(stream)
    const last = { from: BigInt(count - 1), to: BigInt(count - 1), size: BigInt(log.size) }
    for await (const { leaf: before } of log.entriesOf(log.indexesOf(stream, last))) {
      const leaf = JSON.parse(before.toString()) as Leaf
      Object.assign(leaf, {
        revision: String(count),
        prev: leafHash(before).toString('base64'),
        recordedAt: new Date(endMs + 9000).toISOString(),
      })
      change(leaf)
      log.appendRaw(stream, Buffer.from(canonicalJson(leaf)))
    }
    return await finished(made, { stream, revision: count })
  })
}

async function finished(made: SampleLog, event?: Forged['event']): Promise<Forged> {
  made.log.stateHeads(made.endMs + 20_000)
  made.log.publish()
  const zip = await extractOf(made)
  return { made: zip, ...(event ? { event } : {}), key: made.log.logKey.verifierKey }
}

function withKeys(
  name: string,
  check: CheckId,
  events: (made: SampleLog) => readonly (readonly [string, JsonRecord])[],
) {
  return forgery(name, check, async () => {
    const made = sampleLog({ seed: name, readings: 20 })
    const at = made.endMs + 9000
    for (const [type, data] of events(made))
      made.log.append('ledger-keys', ledgerEvent(Buffer.alloc(32, made.log.size), type, at, data), at)
    return await finished(made)
  })
}

const ofLog = ({ log }: SampleLog) => ({ verifierKey: log.logKey.verifierKey, purpose: 'log' })
const secondKey = noteSigner('ledger.example.org/site-1/test', Buffer.alloc(32, 9)).verifierKey

export const oddLogs = [
  withReading(
    'a day that no calendar has',
    (leaf) => void Object.assign(leaf, { occurredAt: '2026-02-31T00:00:00.000Z' }),
  ),
  withReading('hour 24', (leaf) => void Object.assign(leaf, { occurredAt: '2026-02-20T24:00:00.000Z' })),
  withReading('year 0', (leaf) => void Object.assign(leaf, { occurredAt: '0000-01-01T00:00:00.000Z' })),
  withReading('a schema version beyond 2^53', (leaf) => void Object.assign(leaf, { schemaVersion: 1e21 })),
  withReading('numbers as flags', (leaf) => void Object.assign(leaf.data, { flags: [1, 2] })),
  withReading('no value', (leaf) => void Reflect.deleteProperty(leaf.data, 'value')),
  withReading('true as its value', (leaf) => void Object.assign(leaf.data, { value: true })),
  withReading('a number as its tag', (leaf) => void Object.assign(leaf.data, { tag: 5 })),
  withKeys('a revocation taken back by a later one', 'keys', (made) => [
    ['LedgerKeyRevoked', { ...ofLog(made), firstBadSize: '10', finding: 'the key was copied' }],
    ['LedgerKeyRevoked', { ...ofLog(made), firstBadSize: '1000000', finding: 'it was not so bad' }],
  ]),
  withKeys('a revoked key that signed, beside a new one that did not', 'keys', (made) => [
    ['LedgerKeyAdded', { verifierKey: secondKey, purpose: 'log', fromSize: '1' }],
    ['LedgerKeyRevoked', { ...ofLog(made), firstBadSize: '10', finding: 'the key was copied' }],
  ]),
  withKeys('a list where a key should stand', 'keys', () => [
    ['LedgerKeyRetired', { verifierKey: ['x'], purpose: 'log', lastSize: '1' }],
  ]),
]
