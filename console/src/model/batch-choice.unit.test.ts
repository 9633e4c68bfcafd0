import assert from 'node:assert/strict'
import test from 'node:test'
import type { Batch } from '../api/answers.ts'
import { batchName, chooseBatch } from './batch-choice.ts'

const batch = (id: string, status: Batch['status'], createdAt: string): Batch => ({
  id,
  campaign: 'C1',
  number: 1,
  attempt: 1,
  phase: 'A',
  vessel: 'V-01',
  status,
  origin: 'live',
  createdAt,
  inoculatedAt: null,
  closedAt: null,
  outcome: null,
  operatorId: null,
  variation: null,
  notes: null,
  sampleCount: 0,
  revision: '0',
})
const older = batch('older', 'running', '2026-11-20T08:00:00.000Z')
const newer = batch('newer', 'running', '2026-11-21T08:00:00.000Z')
const newest = batch('newest', 'complete', '2026-11-21T09:00:00.000Z')

test('the newest running batch is shown, before a newer one that is closed', () => {
  assert.equal(chooseBatch([older, newest, newer], null)?.id, 'newer')
})

test('with none running the newest batch is shown', () => {
  assert.equal(
    chooseBatch([batch('closed', 'aborted', '2026-11-01T08:00:00.000Z'), newest], null)?.id,
    'newest',
  )
  assert.equal(chooseBatch([], null), undefined)
})

test('a batch asked for is shown or reported missing, never replaced by another', () => {
  assert.equal(chooseBatch([older, newer], 'older')?.id, 'older')
  assert.equal(chooseBatch([older, newer], 'gone'), undefined)
})

test('an attempt after the first is named', () => {
  assert.equal(batchName(older), 'Batch 1 of C1')
  assert.equal(batchName({ ...older, attempt: 2 }), 'Batch 1, attempt 2 of C1')
})
