/** A log with the life of a batch among other streams, drawn from a seed: for extracts that a test alters. */
import { createHash } from 'node:crypto'
import type { ClientEvent } from '../../../schemas/event.ts'
import { ledgerEvent, type MemoryLog, memoryLog, uuidFrom } from './memory-log.ts'

export type SampleOptions = {
  readonly seed: string
  readonly readings: number
  /** Readings of another vessel per reading of this one. */
  readonly others?: number
  readonly isClosed?: boolean
  readonly stamps?: boolean
  /** Events of the batch after the heads statement. */
  readonly later?: number
}
export type SampleLog = {
  readonly log: MemoryLog
  readonly batchId: string
  readonly startMs: number
  readonly endMs: number
}

const tags = [
  ['pH', '[pH]', 5.01],
  ['DO', '%', 64.2],
  ['temperature', 'Cel', 30.1],
  ['OD', '{AU}', 3.25],
] as const

export function sampleLog(options: SampleOptions): SampleLog {
  const { seed, readings, others = 1, isClosed = true, stamps = false, later = 0 } = options
  const log = memoryLog(seed)
  const digest = (text: string) => createHash('sha256').update(`${seed}/${text}`).digest()
  const batchId = uuidFrom(digest('batch'))
  const startMs = Date.parse('2026-11-20T06:00:00.000Z')
  let now = startMs
  let ids = 0
  const advance = (ms: number) => {
    now += ms
    return now
  }
  const event = (
    type: string,
    data: Record<string, unknown>,
    more: Partial<ClientEvent> = {},
  ): ClientEvent => ({
    ...ledgerEvent(digest(`event ${ids++}`), type, now, data),
    actor: { kind: 'human', id: 'p-017', role: 'technician' },
    origin: 'simulated',
    ...more,
  })
  const device = (tag: string, seq: number): Partial<ClientEvent> => ({
    actor: { kind: 'device', id: 'V-01', role: 'sensor' },
    source: { topic: `bioprocess/pichia/V-01/sensors/${tag}`, seq },
  })
  const addKey = (verifierKey: string, purpose: 'log' | 'export') =>
    log.append(
      'ledger-keys',
      ledgerEvent(digest(`key ${purpose}`), 'LedgerKeyAdded', now, { verifierKey, purpose, fromSize: '0' }),
      now,
    )
  addKey(log.logKey.verifierKey, 'log')
  addKey(log.exportKey.verifierKey, 'export')
  const record = (type: string, data: Record<string, unknown>, more: Partial<ClientEvent> = {}) =>
    log.append(`batch-${batchId}`, event(type, { batchId, ...data, lateEntry: false }, more), advance(1500))
  record('BatchCreated', {
    campaign: 'C-1',
    number: 7,
    attempt: 1,
    phase: 'A',
    vessel: 'V-01',
    notes: 'Übernahme „A“ – zweiter Versuch 🧫',
  })
  record('BatchInoculated', { inoculumOd600: '0.50', goDecision: true })
  const addReading = (stream: string, at: number, vessel: string) => {
    const [tag, unit, base] = tags[at % tags.length] as (typeof tags)[number]
    const noise = digest(`noise ${at}`).readUInt16BE(0) / 65_536
    const flags = at % 37 === 36 ? { flags: ['late', 'out-of-order'] } : {}
    const data = {
      vessel,
      tag,
      value: base + noise * 10 ** ((at % 5) - 2),
      unit,
      quality: at % 41 === 40 ? 'uncertain' : 'good',
      ...flags,
    }
    log.append(stream, event('SensorReadingRecorded', data, device(tag, at)), advance(at % 3 === 0 ? 700 : 0))
  }
  const stamp = () => {
    const token = digest(`token ${log.size}`)
    log.append(
      'ledger-timestamps',
      ledgerEvent(digest(`stamp ${log.size}`), 'CheckpointTimeStamped', advance(2000), {
        size: String(log.size),
        imprint: token.toString('base64'),
        tokenSha256: createHash('sha256').update(token).digest('base64'),
        authority: 'TSA',
        stampedAt: new Date(now).toISOString(),
      }),
      now,
    )
  }
  for (let at = 0; at < readings; at++) {
    addReading(`reading-${batchId}`, at, 'V-01')
    for (let other = 0; other < others; other++) addReading('reading-V-02-idle-20261120', at, 'V-02')
    if (at % 20 === 10)
      log.append(`derived-${batchId}`, event('ProcessWindowDerived', derived(batchId, now)), advance(10))
    if (at % 25 === 12)
      record('SampleTaken', {
        sampleId: uuidFrom(digest(`sample ${at}`)),
        sampleNumber: Math.floor(at / 25) + 1,
        timepointHours: '1.50',
        od600Raw: '0.75',
        dilutionFactor: '10',
        od600: '7.5',
        contaminationDetected: false,
      })
    if (at % 30 === 29)
      log.append(`forecast-${batchId}`, event('ForecastWithheld', withheld(batchId, now)), advance(10))
    if (stamps && at % 40 === 39) stamp()
  }
  if (isClosed) {
    record('BatchClosed', {
      outcome: 'Complete',
      finalOd600: '42.0',
      totalRuntimeHours: '24.00',
      doSpikeObserved: true,
      approvedBy: 'p-002',
    })
    for (const category of ['reading', 'derived', 'forecast'] as const) {
      const count = log.countOf(`${category}-${batchId}`)
      if (count > 0) log.append(`${category}-${batchId}`, event('StreamSealed', { count }), advance(5))
    }
  }
  const endMs = now
  log.stateHeads(advance(1000))
  for (let at = 0; at < later; at++)
    record('SampleTaken', {
      sampleId: uuidFrom(digest(`late sample ${at}`)),
      sampleNumber: 1000 + at,
      timepointHours: '96.00',
      od600Raw: '0.42',
      dilutionFactor: '100',
      od600: '42',
      contaminationDetected: false,
    })
  log.publish()
  return { log, batchId, startMs, endMs }
}

function derived(batchId: string, now: number) {
  const at = (ms: number) => new Date(ms).toISOString()
  return {
    batchId,
    vessel: 'V-01',
    window: { from: at(now - 30_000), to: at(now) },
    inputPositions: { from: '1', to: '2' },
    rulesVersion: '1',
    phase: 'exponential',
    derived: { CER: { value: 0.0123 }, RQ: { value: null, reason: 'low_signal' } },
    corrections: [],
    qualityScore: 100,
  }
}

function withheld(batchId: string, now: number) {
  const at = (ms: number) => new Date(ms).toISOString()
  const hex = 'ab'.repeat(32)
  return {
    batchId,
    vessel: 'V-01',
    window: { from: at(now - 30_000), to: at(now) },
    modelId: 'od600',
    modelVersion: '1.0.0',
    modelHash: hex,
    featureSchemaHash: hex,
    inputHash: hex,
    inputPositions: { from: '1', to: '2' },
    phase: null,
    hoursSinceInoculation: 1.25,
    runtime: 'onnxruntime',
    reason: 'outside-trained-range',
    detail: 'temperature 34.1 °C, trained up to 32 °C',
    inDomainScore: null,
  }
}
