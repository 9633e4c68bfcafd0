import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditProgress } from './audit-progress.ts'

test('whoever waits for the check is told every few seconds how far it is, how fast, and how long yet', () => {
  const lines: string[] = []
  let nowMs = 0
  const progress = auditProgress(
    (line) => lines.push(line),
    () => nowMs,
  )
  progress.begin(1_400_000n)
  for (let step = 0; step < 100; step++) {
    nowMs += 100
    progress.took(2_000)
  }
  nowMs = 70_000
  progress.compare()
  assert.deepEqual(lines, [
    'checking 1,400,000 entries',
    '100,000 of 1,400,000 entries (7 %), 20,000 a second, about 65 s to go',
    '200,000 of 1,400,000 entries (14 %), 20,000 a second, about 60 s to go',
    'all entries checked in 70 s; now the read models',
  ])
})
