/** Small files that were made to take long: a verifier stops where nothing more can be learnt, and says so. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { maximumBadLines } from './src/events.ts'
import { placeOf } from './src/leaf.ts'
import { verifyHere, verifyThere } from './testing/agreement.ts'
import { linesOf, type Members, putTogether, reseal, setLines } from './testing/extract-file.ts'
import { honestExtract } from './testing/honest-extract.ts'
import { hasPython, pythonVerifier } from './testing/python.ts'

describe('a file that was made to take long', () => {
  let honest: Awaited<ReturnType<typeof honestExtract>>
  let folder: string
  let python: ReturnType<typeof pythonVerifier> | undefined
  before(async () => {
    honest = await honestExtract('bombs')
    folder = mkdtempSync(join(tmpdir(), 'bioledger-bombs-'))
    if (hasPython) python = pythonVerifier()
  })
  after(async () => {
    await python?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  async function verdicts(edit: (members: Members) => void, key = honest.logKey.verifierKey) {
    const members = honest.members()
    edit(members)
    const zip = putTogether(members)
    const here = await verifyHere(zip, key)
    const there = python && (await verifyThere(python, folder, zip, key))
    assert.equal(here.exit, 1)
    if (there) assert.equal(there.exit, 1)
    return { here, there }
  }

  test('of empty lines only the first thousand are looked at', async () => {
    const { here, there } = await verdicts((members) =>
      members.set('events-000001.ndjson', Buffer.alloc(1 << 18, '\n')),
    )
    assert.equal(here.events, maximumBadLines + 1)
    assert.ok(here.findings.length <= 100)
    if (there) assert.equal(there.events, maximumBadLines + 1)
    if (there) assert.ok(there.findings.length <= 200)
  })

  test('further members of such lines are not looked at either', async () => {
    const { here, there } = await verdicts((members) => {
      for (let at = 1; at <= 3; at++) members.set(`events-00000${at}.ndjson`, Buffer.alloc(1 << 12, '\n'))
    })
    assert.equal(here.events, maximumBadLines + 1)
    if (there) assert.equal(there.events, maximumBadLines + 1)
  })

  test('the place of a line that cannot be read is looked for in its first 131,070 characters', () => {
    const line = `{"index":"7","leaf":{${'"revision":"1"'.repeat(280_000)}`
    assert.equal(placeOf(`${line},"stream":"batch-x"}}`), undefined)
    const named = '{"index":"7","leaf":{"revision":"3","schemaVersion":1,"stream":"batch-x","type":"A"}'
    assert.deepEqual(placeOf(`${named},"payload":{"revision":"9"}}`), {
      stream: 'batch-x',
      revision: 3,
      index: 7,
    })
  })

  test('a list of heads is not read before the events are proven', async () => {
    const record = (at: number) => {
      const key = Buffer.alloc(32)
      key.writeUInt32BE(at + 1)
      const text = key.toString('base64')
      return `{"count":"1","lastIndex":"${at}","lastLeafHash":"${text}","streamKey":"${text}"}\n`
    }
    const list = Buffer.from(Array.from({ length: 5000 }, (_, at) => record(at)).join(''))
    const { here, there } = await verdicts((members) => {
      setLines(members, linesOf(members).toSpliced(40, 1))
      members.set('heads.ndjson', list)
      reseal(members)
    })
    assert.equal(here.checks.find(({ id }) => id === 'completeness')?.status, 'not-checked')
    if (there) assert.equal(there.checks.completeness, 'not-checked')
  })

  test('of a list of heads no more records are read than its statement counts', async () => {
    const { here, there } = await verdicts((members) => {
      const lines = linesOf(members, 'heads.ndjson')
      const long = [...lines, ...Array.from({ length: 5000 }, () => 'x')]
      members.set('heads.ndjson', Buffer.from(`${long.join('\n')}\n`))
      reseal(members, honest.exportKey)
    })
    const found = here.findings.find(({ check }) => check === 'completeness')
    assert.match(found?.message ?? '', /more records than the \d+ that the statement counts/)
    if (there) assert.match(JSON.stringify(there.findings), /more records than the statement counts/)
  })
})
