import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseCheckpoint } from './checkpoint-choice.ts'
import { ExtractError } from './errors.ts'
import { ledgerEvent } from './testing/memory-log.ts'
import { sampleLog } from './testing/sample-log.ts'

const at = (ms: number) => new Date(ms).toISOString()
const { signal } = new AbortController()

/** A log whose sequencer states the heads when asked, a second later each time. */
function answeringLog() {
  const { log, endMs } = sampleLog({ seed: 'choice', readings: 20 })
  let now = endMs + 10_000
  let asked = 0
  const requestHeads = async () => {
    asked++
    now += 1000
    const data = { verifierKey: `x+0000000${asked}+AA==`, purpose: 'export', fromSize: '1' }
    log.stateHeads(now, undefined, () =>
      log.append('ledger-keys', ledgerEvent(Buffer.alloc(32, asked), 'LedgerKeyAdded', now, data), now),
    )
    log.publish()
  }
  const head = async () => {
    const newest = await log.head()
    return newest && { position: newest.position, recordedAt: newest.recordedAt }
  }
  return { log: { ...log, requestHeads }, store: { head }, endMs, asked: () => asked }
}

test('as of a past instant it is a checkpoint whose heads statement was made later, not the last one before', async () => {
  const { log, store, endMs, asked } = answeringLog()
  const chosen = await chooseCheckpoint(log, store, { asOf: at(endMs - 1000) }, signal)
  assert.ok(chosen.recordedAt > at(endMs - 1000))
  assert.equal(asked(), 0)
})

test('another heads statement is asked for until one counts an entry recorded after the end of what was asked', async () => {
  const { log, store, endMs, asked } = answeringLog()
  log.append('ledger-keys', keyEvent(endMs + 9000), endMs + 9000)
  log.publish()
  const chosen = await chooseCheckpoint(log, store, { to: at(endMs + 10_500) }, signal)
  assert.equal(asked(), 2)
  assert.equal(chosen.size, (await log.head())?.size)
})

test('an instant that the record does not reach beyond is refused, naming field, value and how far it reaches', async () => {
  const { log, store, endMs } = answeringLog()
  const stated = at(endMs + 1000)
  for (const request of [
    { asOf: stated },
    { to: at(endMs + 2000) },
    { asOf: at(endMs + 2000), to: stated },
  ]) {
    const [field, value] = Object.entries(request)[0] as [string, string]
    await assert.rejects(chooseCheckpoint(log, store, request, signal), (error) => {
      assert.ok(error instanceof ExtractError)
      assert.equal(error.code, 'not-stated')
      assert.ok(error.message.startsWith(`${field} ${value}: the record is stated to before ${stated}`))
      return true
    })
  }
})

test('of an idle ledger, whose last entry is its heads statement, the newest checkpoint serves', async () => {
  const { log, store, asked } = answeringLog()
  const newest = await log.head()
  assert.equal((await chooseCheckpoint(log, store, {}, signal)).size, newest?.size)
  assert.equal(asked(), 0)
})

const keyEvent = (ms: number) =>
  ledgerEvent(Buffer.alloc(32, 99), 'LedgerKeyAdded', ms, {
    verifierKey: 'x+00000099+AA==',
    purpose: 'export',
    fromSize: '1',
  })
