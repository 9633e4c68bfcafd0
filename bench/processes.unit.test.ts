import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStat } from './processes.ts'

test('a process whose name holds blanks and brackets is read as the kernel wrote it', () => {
  const line = '42 (a (b) c) S 7 42 42 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 11 0 1 2 3\n'
  assert.deepEqual(parseStat(line), { pid: 42, name: 'a (b) c', parent: 7, cpuSeconds: 3 })
  assert.equal(parseStat('nonsense'), undefined)
})
