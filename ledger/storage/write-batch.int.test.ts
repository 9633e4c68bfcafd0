import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readings } from '../../infra/event-store/testing/sample-events.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { integrator } from '../sequencer/integrate.ts'
import { openLog } from '../sequencer/open-log.ts'
import { signedStateFile } from '../sequencer/signed-state.ts'
import { type LedgerBed, ledgerBed } from '../testing/running-ledger.ts'
import { run, statements } from './database.ts'
import { LogMovedError, writeBatch } from './write-batch.ts'

async function openedLog(bed: LedgerBed) {
  const client = await bed.pool.connect()
  try {
    return await openLog(client, {
      pool: bed.pool,
      store: bed.store,
      originPrefix: 'ledger.example',
      signedState: signedStateFile(bed.folder),
    })
  } finally {
    client.release()
  }
}

const rows = async (bed: LedgerBed) =>
  (
    await bed.pool.query(
      `SELECT size, root, (SELECT count(*) FROM ledger.entry_chunk) AS chunks, (SELECT count(*) FROM ledger.stream_run) AS runs FROM ledger.log`,
    )
  ).rows

test('a sequencer that another one has replaced can neither write nor publish, and leaves nothing half', async () => {
  const bed = await ledgerBed()
  try {
    await bed.store.append([{ stream: 'reading-b1', expectedRevision: 'any', events: readings(300) }])
    const events: RecordedEvent[] = []
    for await (const page of bed.store.readAll()) events.push(...page.events)
    const replaced = await openedLog(bed)
    const present = await openedLog(bed)
    const batchOf = (log: typeof replaced) =>
      integrator({ ...log, heads: new Map() }).integrate(events, new Map())
    const client = await bed.pool.connect()
    try {
      const { storeId } = bed.store
      const before = await rows(bed)
      const late = batchOf(replaced)
      await assert.rejects(writeBatch(client, late, { fence: replaced.fence, storeId }), LogMovedError)
      assert.deepEqual(await rows(bed), before)
      const batch = batchOf(present)
      await writeBatch(client, batch, { fence: present.fence, storeId })
      const after = await rows(bed)
      // The same page again, as after an answer that was lost.
      await assert.rejects(writeBatch(client, batch, { fence: present.fence, storeId }), LogMovedError)
      // Another history of the same length under the right fence.
      const other = { ...batch, sizeBefore: batch.size, rootBefore: Buffer.alloc(32) }
      await assert.rejects(writeBatch(client, other, { fence: present.fence, storeId }), LogMovedError)
      assert.deepEqual(await rows(bed), after)
      const { size, root, last } = batch
      const publish = async (fence: bigint, published: bigint) =>
        (
          await run(client, statements.publishCheckpoint, [
            fence,
            published,
            root,
            'note',
            last.position,
            last.id,
            last.recordedAt,
          ])
        ).count
      assert.equal(await publish(replaced.fence, size), 0)
      assert.equal(await publish(present.fence, size + 1n), 0)
      assert.equal(await publish(present.fence, size), 1)
    } finally {
      client.release()
    }
  } finally {
    await bed.close()
  }
})
