/**
 * Forgeries by whoever runs the log and holds all its keys: what chain, root, heads, seals, stamps and key history are
 * there to show although every signature is right.
 */

import { hash } from 'node:crypto'
import type { ExtractRequest } from '../../ledger/extract/request.ts'
import { ledgerEvent, type MemoryLog, memoryLog } from '../../ledger/extract/testing/memory-log.ts'
import { type SampleLog, sampleLog } from '../../ledger/extract/testing/sample-log.ts'
import type { HeadRecord } from '../../ledger/heads/heads-list.ts'
import { leafHash } from '../../ledger/log/tree-hash.ts'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import {
  type JsonRecord,
  linesOf,
  type Members,
  putTogether,
  reseal,
  setLines,
  takeApart,
} from './extract-file.ts'
import { type Forged, forgery } from './forgery.ts'
import { extractOf } from './honest-extract.ts'
import type { TamperCase } from './tamper-case.ts'

const keyOf = ({ log }: Pick<SampleLog, 'log'>) => log.logKey.verifierKey
const sample = (seed: string, more: Partial<Parameters<typeof sampleLog>[0]> = {}) =>
  sampleLog({ seed, readings: 60, ...more })

/** The log as an operator shows it who keeps back the last events of a stream. */
function hiding(log: MemoryLog, stream: string, hidden: number): MemoryLog {
  return {
    ...log,
    indexesOf: async function* (asked, range) {
      const runs = []
      for await (const run of log.indexesOf(asked, range)) runs.push(run)
      yield* asked === stream ? runs.slice(0, runs.length - hidden) : runs
    },
  }
}

async function hidden(
  seed: string,
  streamOf: (batchId: string) => string,
  count: number,
  asked?: Partial<ExtractRequest>,
): Promise<Forged> {
  const made = sample(seed)
  const stream = streamOf(made.batchId)
  const log = hiding(made.log, stream, count)
  const last = made.log.countOf(stream) - count - 1
  return {
    made: await extractOf({ log, batchId: made.batchId }, asked),
    event: { stream, revision: last },
    key: keyOf(made),
  }
}

/** A log whose sample A1 was replaced in the memory of A2 by an A1′ that was never logged. */
async function linearFake(showsForged: boolean): Promise<Forged> {
  const made = sample('linear fake', { isClosed: false })
  const { log, batchId } = made
  const stream = `batch-${batchId}`
  const members = await takeApart(await extractOf(made))
  const lines = linesOf(members)
  const lastLine = lines.findLast((line) => line.includes(`"stream":"${stream}"`)) as string
  const first = JSON.parse(lastLine) as {
    index: string
    leaf: JsonRecord
    payload: { data: JsonRecord }
    salt: string
  }
  const revision = Number(first.leaf.revision)
  const data = { ...first.payload.data, od600Raw: '0.99' }
  const payload = canonicalJson({ data })
  const salt = Buffer.from(first.salt, 'base64')
  const digest = hash(
    'sha256',
    Buffer.concat([Buffer.from('bioprocess-ledger/payload/v1\n'), salt, Buffer.from(payload)]),
    'base64',
  )
  const forgedLeaf = {
    ...first.leaf,
    payload: {
      ...(first.leaf.payload as JsonRecord),
      hash: digest,
      size: String(Buffer.byteLength(payload)),
    },
  }
  const forgedHash = leafHash(Buffer.from(canonicalJson(forgedLeaf)))
  const second = {
    ...first.leaf,
    revision: String(revision + 1),
    prev: forgedHash.toString('base64'),
    recordedAt: '2026-11-21T06:00:00.000Z',
  }
  log.appendRaw(stream, Buffer.from(canonicalJson(second)))
  const shown: MemoryLog = {
    ...log,
    payloadOf: async (of, at) =>
      await log.payloadOf(of, of === stream && at > BigInt(revision) ? BigInt(revision) : at),
  }
  log.stateHeads(Date.parse('2026-11-21T06:00:01.000Z'))
  log.publish()
  const zip = await extractOf({ log: shown, batchId })
  if (!showsForged) return { made: zip, event: { stream, revision }, key: keyOf(made) }
  const altered = await takeApart(zip)
  const place = linesOf(altered).findIndex((line) => line.startsWith(`{"index":"${first.index}"`))
  replaceLine(altered, place, canonicalJson({ ...first, leaf: forgedLeaf, payload: { data } }), forgedHash)
  reseal(altered, log.exportKey)
  return { made: putTogether(altered), key: keyOf(made) }
}

function replaceLine(members: Members, place: number, line: string, leaf: Buffer): void {
  setLines(members, linesOf(members).with(place, line))
  const prints = Buffer.from(members.get('fingerprints.bin') as Buffer)
  leaf.copy(prints, 'bioledger-fingerprints/v1\n'.length + 8 * place, 0, 8)
  members.set('fingerprints.bin', prints)
}

/** Appends to an open log, states the heads and publishes. */
async function appended(
  seed: string,
  append: (made: SampleLog) => Forged['event'],
  options: Partial<Parameters<typeof sampleLog>[0]> = {},
): Promise<Forged> {
  const made = sample(seed, options)
  const event = append(made)
  made.log.stateHeads(made.endMs + 3_600_000)
  made.log.publish()
  return { made: await extractOf(made), ...(event ? { event } : {}), key: keyOf(made) }
}

const laterMs = ({ endMs }: SampleLog) => endMs + 1_800_000
const person = { actor: { kind: 'human', id: 'p-017', role: 'technician' } } as const

function put(made: SampleLog, stream: string, type: string, data: JsonRecord, atMs = laterMs(made)) {
  const id = Buffer.from(hash('sha256', `${type} ${made.log.size}`, 'hex'), 'hex')
  const revision = made.log.countOf(stream)
  made.log.append(
    stream,
    { ...ledgerEvent(id, type, atMs, data), ...(type.startsWith('Ledger') ? {} : person) },
    atMs,
  )
  return { stream, revision }
}

const aSample = (batchId: string) => ({
  batchId,
  sampleId: batchId,
  sampleNumber: 99,
  timepointHours: '1.00',
  od600Raw: '0.5',
  dilutionFactor: '1',
  od600: '0.5',
  contaminationDetected: false,
  lateEntry: false,
})
const closure = (batchId: string, approvedBy: string, closedBy?: string) => ({
  batchId,
  outcome: 'Complete',
  finalOd600: '42.0',
  totalRuntimeHours: '24.00',
  doSpikeObserved: true,
  approvedBy,
  lateEntry: false,
  ...(closedBy === undefined ? {} : { closedBy }),
})

/** Heads in which one stream of the batch is shorter and another one longer, so that the counts still sum up. */
async function shiftedHeads(conserving: boolean): Promise<Forged> {
  const made = sample(`shifted heads ${conserving}`)
  const { log, batchId } = made
  const stream = `batch-${batchId}`
  const last = log.countOf(stream) - 1
  let lastIndex = 0n
  let lastLeafHash: Buffer = Buffer.alloc(0)
  const before = log.indexesOf(stream, {
    from: BigInt(last - 1),
    to: BigInt(last - 1),
    size: BigInt(log.size),
  })
  for await (const { index, leaf } of log.entriesOf(before))
    [lastIndex, lastLeafHash] = [index, leafHash(leaf)]
  const forge = (records: HeadRecord[]): HeadRecord[] => {
    const own = records.find(({ count }) => count === BigInt(last + 1))
    const grown = records.find(({ count }) => count === BigInt(log.countOf(`reading-${batchId}`)))
    return records.map((record) => {
      if (record === own) return { ...record, count: BigInt(last), lastIndex, lastLeafHash }
      return record === grown && conserving ? { ...record, count: record.count + 1n } : record
    })
  }
  log.stateHeads(made.endMs + 3_600_000, forge)
  log.publish()
  const shown = hiding(log, stream, 1)
  return { made: await extractOf({ log: shown, batchId }), key: keyOf(made) }
}

export const forgedLogs: readonly TamperCase[] = [
  forgery('a chain through an event that was never logged (linear fake)', 'inclusion', () =>
    linearFake(true),
  ),
  forgery('a log whose chain breaks', 'streams', () => linearFake(false)),
  forgery('the end of the record kept back', 'completeness', () =>
    hidden('hidden record', (id) => `batch-${id}`, 1),
  ),
  forgery('three events at the end of the record kept back', 'completeness', () =>
    hidden('hidden three', (id) => `batch-${id}`, 3),
  ),
  forgery('the end of a sealed stream kept back', 'completeness', () =>
    hidden('hidden readings', (id) => `reading-${id}`, 5),
  ),
  forgery('the seal of a stream kept back', 'completeness', () =>
    hidden('hidden seal', (id) => `forecast-${id}`, 1),
  ),
  forgery('the newest key event kept back', 'completeness', () =>
    hidden('hidden key', () => 'ledger-keys', 1),
  ),
  forgery('the end of a range kept back', 'completeness', () =>
    hidden('hidden range', (id) => `reading-${id}`, 40, {
      from: '2026-11-20T06:00:05.000Z',
      to: '2026-11-20T09:00:00.000Z',
    }),
  ),
  forgery('heads that count too little', 'completeness', () => shiftedHeads(false)),
  forgery('heads that count an event of one stream for another', 'completeness', () => shiftedHeads(true)),
  forgery('a seal with a wrong count', 'streams', () =>
    appended('wrong seal', (made) => put(made, `reading-${made.batchId}`, 'StreamSealed', { count: 1 }), {
      isClosed: false,
    }),
  ),
  forgery('an event after the seal of its stream', 'streams', () =>
    appended('after seal', (made) =>
      put(made, `forecast-${made.batchId}`, 'StreamSealed', {
        count: made.log.countOf(`forecast-${made.batchId}`),
      }),
    ),
  ),
  forgery('an event back-dated before its predecessor in the log', 'times', () =>
    appended('back-dated', (made) =>
      put(made, `batch-${made.batchId}`, 'SampleTaken', aSample(made.batchId), made.startMs),
    ),
  ),
  forgery('an event that claims to be later than a time stamp over it', 'times', () =>
    appended('stamped earlier', (made) => {
      const event = put(made, `batch-${made.batchId}`, 'SampleTaken', aSample(made.batchId))
      const size = String(made.log.size)
      const stampedAt = new Date(made.endMs - 2_000_000).toISOString()
      const digest = Buffer.alloc(32).toString('base64')
      const stamp = { size, imprint: digest, tokenSha256: digest, authority: 'TSA', stampedAt }
      put(made, 'ledger-timestamps', 'CheckpointTimeStamped', stamp)
      return event
    }),
  ),
  forgery('an event that claims to be earlier than the stamp before it', 'times', () =>
    appended('stamped later', (made) => {
      const digest = Buffer.alloc(32).toString('base64')
      const stampedAt = new Date(laterMs(made) + 7_200_000).toISOString()
      put(made, 'ledger-timestamps', 'CheckpointTimeStamped', {
        size: '5',
        imprint: digest,
        tokenSha256: digest,
        authority: 'TSA',
        stampedAt,
      })
      return put(made, `batch-${made.batchId}`, 'SampleTaken', aSample(made.batchId))
    }),
  ),
  forgery('a sample of another batch', 'streams', () =>
    appended('other batch', (made) =>
      put(made, `batch-${made.batchId}`, 'SampleTaken', aSample('00000000-0000-7000-a000-000000000000')),
    ),
  ),
  forgery('a closure approved by whoever entered it', 'signatures', () =>
    appended('own closure', (made) =>
      put(made, `batch-${made.batchId}`, 'BatchClosed', closure(made.batchId, 'p-017', 'p-002')),
    ),
  ),
  forgery('a closure approved by whoever closed', 'signatures', () =>
    appended('own approval', (made) =>
      put(made, `batch-${made.batchId}`, 'BatchClosed', closure(made.batchId, 'p-002', 'p-002')),
    ),
  ),
  forgery('an override approved by whoever entered it', 'signatures', () =>
    appended('own override', (made) =>
      put(made, `batch-${made.batchId}`, 'BatchInoculated', {
        batchId: made.batchId,
        goDecision: true,
        override: { approvedBy: 'p-017', justification: 'ten letters and more' },
        lateEntry: false,
      }),
    ),
  ),
  forgery('a log key that was revoked', 'keys', () =>
    appended('revoked', (made) => {
      put(made, 'ledger-keys', 'LedgerKeyRevoked', {
        verifierKey: keyOf(made),
        purpose: 'log',
        firstBadSize: '10',
        finding: 'the key was copied',
      })
      return undefined
    }),
  ),
  forgery('a log key that was retired', 'keys', () =>
    appended('retired', (made) => {
      put(made, 'ledger-keys', 'LedgerKeyRetired', {
        verifierKey: keyOf(made),
        purpose: 'log',
        lastSize: '10',
      })
      return undefined
    }),
  ),
  forgery('an export key that was revoked', 'manifest', () =>
    appended('export revoked', (made) => {
      put(made, 'ledger-keys', 'LedgerKeyRevoked', {
        verifierKey: made.log.exportKey.verifierKey,
        purpose: 'export',
        firstBadSize: '10',
        finding: 'the key was copied',
      })
      return undefined
    }),
  ),
  forgery('a key retired that was never added', 'keys', () =>
    appended('never added', (made) =>
      put(made, 'ledger-keys', 'LedgerKeyRetired', {
        verifierKey: memoryLog('never').logKey.verifierKey,
        purpose: 'log',
        lastSize: '10',
      }),
    ),
  ),
  forgery('a key added twice', 'keys', () =>
    appended('added twice', (made) =>
      put(made, 'ledger-keys', 'LedgerKeyAdded', { verifierKey: keyOf(made), purpose: 'log', fromSize: '0' }),
    ),
  ),
  forgery('signatures only, without the payload of one', 'payloads', async () => {
    const made = sample('signatures')
    const members = await takeApart(await extractOf(made, { signaturesOnly: true }))
    const lines = linesOf(members)
    const place = lines.findIndex((line) => line.includes('"type":"BatchClosed"'))
    const { index, leaf } = JSON.parse(lines[place] as string) as { index: string; leaf: JsonRecord }
    setLines(members, lines.with(place, canonicalJson({ index, leaf })))
    reseal(members, made.log.exportKey)
    return {
      made: putTogether(members),
      event: { stream: String(leaf.stream), revision: Number(leaf.revision) },
      key: keyOf(made),
    }
  }),
  forgery('a whole extract without the payload of a sample', 'payloads', async () => {
    const made = sample('no payload')
    const members = await takeApart(await extractOf(made))
    const lines = linesOf(members)
    const place = lines.findIndex((line) => line.includes('"type":"SampleTaken"'))
    const { index, leaf } = JSON.parse(lines[place] as string) as { index: string; leaf: JsonRecord }
    setLines(members, lines.with(place, canonicalJson({ index, leaf })))
    reseal(members, made.log.exportKey)
    return {
      made: putTogether(members),
      event: { stream: String(leaf.stream), revision: Number(leaf.revision) },
      key: keyOf(made),
    }
  }),
  forgery('a range that claims to end later than it does', 'completeness', async () => {
    const made = sample('longer range')
    const members = await takeApart(
      await extractOf(made, { from: '2026-11-20T06:00:05.000Z', to: '2026-11-20T06:00:10.000Z' }),
    )
    reseal(members, made.log.exportKey, (manifest) =>
      Object.assign(manifest.request as JsonRecord, { to: '2026-11-20T23:00:00.000Z' }),
    )
    return { made: putTogether(members), key: keyOf(made) }
  }),
  forgery('a range that claims to begin earlier than it does', 'completeness', async () => {
    const made = sample('earlier range')
    const members = await takeApart(await extractOf(made, { from: '2026-11-20T06:00:05.000Z' }))
    reseal(members, made.log.exportKey, (manifest) =>
      Object.assign(manifest.request as JsonRecord, { from: '2026-11-20T06:00:00.000Z' }),
    )
    return {
      made: putTogether(members),
      event: { stream: `reading-${made.batchId}`, revision: 0 },
      key: keyOf(made),
    }
  }),
]
