import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { windowFold } from '../../domain/process-windows/fold-windows.ts'
import type { ProcessWindow } from '../../domain/process-windows/process-window.ts'
import { toProcessWindowEvent } from '../../domain/process-windows/window-event.ts'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import { clientPart, type RecordedEvent } from '../../schemas/event.ts'
import { streams } from '../../schemas/streams.ts'
import { readBatchEvents } from '../read-batch.ts'
import { inferencePlant } from '../testing/running-inference.ts'
import { appendHistory, eventsOf, reservationOf, simulatedHistory } from '../testing/stored-batch.ts'
import { exportBatch } from './export-batch.ts'
import { foldedFromFile } from './folded-from-file.ts'
import { openEventFile } from './read-event-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'bioledger-export-'))
after(() => rmSync(folder, { recursive: true }))

const bytesOf = (events: readonly { readonly type: string }[]): readonly string[] =>
  events.map((event) => canonicalJson(clientPart(event as RecordedEvent)))

test('an exported batch is its events in the store, and its windows are those that the service derived, byte by byte', async () => {
  const plant = await inferencePlant()
  try {
    const { store } = plant
    await plant.start()
    const history = simulatedHistory('V-01', 0.4, { sampleEveryMinutes: 10 })
    const { batchId } = history
    await store.append([reservationOf(history)])
    await appendHistory(store, history.events)
    const path = join(folder, 'batch.parquet')
    const running = await exportBatch({ store, batchId, path })
    assert.equal(running?.ended, false)
    await appendHistory(store, [history.closed])
    await plant.untilSealed(batchId)
    const exported = await exportBatch({ store, batchId, path })
    assert.ok(exported?.ended)
    assert.equal(exported.events, history.events.length + 1)

    const stored: RecordedEvent[] = []
    const fold = windowFold({ vessel: 'V-01' })
    const windows: ProcessWindow[] = []
    const head = await store.head()
    for await (const event of readBatchEvents(store, batchId, head?.position ?? 0n)) {
      stored.push(event)
      windows.push(...fold.apply(event))
    }
    const read: RecordedEvent[] = []
    for await (const event of (await openEventFile(path)).events()) read.push(event)
    assert.deepEqual(read, stored)

    const folded = await foldedFromFile(path)
    assert.deepEqual(folded.windows, windows)
    assert.equal(folded.truth, undefined)
    const derived = (await eventsOf(store, streams.derived(batchId))).slice(0, -1)
    assert.ok(derived.length > 40)
    assert.deepEqual(bytesOf(folded.windows.map(toProcessWindowEvent)), bytesOf(derived))
  } finally {
    await plant.close()
  }
})

test('a batch that does not exist is no file', async () => {
  const plant = await inferencePlant()
  try {
    const path = join(folder, 'none.parquet')
    const batchId = '01a1f7f8-3000-7178-8ee4-000000000000'
    assert.equal(await exportBatch({ store: plant.store, batchId, path }), undefined)
    const history = simulatedHistory('V-01', 0.02)
    await appendHistory(plant.store, history.events)
    assert.equal(await exportBatch({ store: plant.store, batchId, path }), undefined)
    assert.ok(!existsSync(path) && !existsSync(`${path}.part`))
  } finally {
    await plant.close()
  }
})
