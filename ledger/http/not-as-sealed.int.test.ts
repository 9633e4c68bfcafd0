/** A log changed behind the product's back is never given out as truth, and is right again once it is mended. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../infra/clock.ts'
import { freshId, readings } from '../../infra/event-store/testing/sample-events.ts'
import { createHttpServer, type HttpBase } from '../../infra/http/server.ts'
import { createLogger } from '../../infra/log.ts'
import { type Superuser, superuser } from '../audit/testing/superuser.ts'
import { postgresLogReader } from '../storage/postgres-log-reader.ts'
import { type LedgerBed, ledgerBed } from '../testing/running-ledger.ts'
import { registerLedger } from './routes.ts'

const token = 'token-of-the-tests'
const batchId = freshId()

const ask = async ({ server }: HttpBase, path: string) =>
  await server.inject({
    method: 'GET',
    url: `/api/v1/${path}`,
    headers: { authorization: `Bearer ${token}` },
  })

describe('a log that is not as it was sealed', () => {
  let bed: LedgerBed
  let admin: Superuser
  let position: bigint
  before(async () => {
    bed = await ledgerBed()
    admin = await superuser(bed.database.adminUrl)
    const ledger = bed.start()
    await bed.store.append([
      { stream: `reading-${batchId}`, expectedRevision: 'any', events: readings(400) },
      { stream: `reading-${freshId()}`, expectedRevision: 'any', events: readings(300) },
    ])
    await bed.sealed()
    await ledger.stop()
    const { size } = (await bed.reader.head()) ?? { size: 0n }
    assert.ok(size >= 700n)
    for await (const event of bed.store.readStream(`reading-${batchId}`)) position = event.position
  })
  after(async () => {
    await admin?.end()
    await bed?.close()
  })

  /** As a process that has read nothing of the log yet. */
  async function serving(
    use: (get: (path: string) => ReturnType<typeof ask>) => Promise<void>,
  ): Promise<void> {
    const http = await createHttpServer({
      log: createLogger('silent'),
      clock: systemClock,
      token,
      site: 'site-1',
      version: '0.0.0',
    })
    registerLedger(http.server, {
      reader: postgresLogReader(bed.pool),
      store: bed.store,
      clock: systemClock,
      site: 'site-1',
    })
    await http.server.ready()
    try {
      await use((path) => ask(http, path))
    } finally {
      await http.close()
    }
  }

  const changes: readonly {
    readonly what: string
    readonly table: string
    readonly change: string
    readonly mend: string
    /** What must not be answered meanwhile. */
    readonly paths: readonly string[]
    readonly named: RegExp
    /** What lies elsewhere and is answered as before. */
    readonly untouched: readonly string[]
  }[] = [
    {
      what: 'a leaf hash of a full tile',
      table: 'ledger.entry_chunk',
      change: `UPDATE ledger.entry_chunk SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) WHERE first_index = 0`,
      mend: `UPDATE ledger.entry_chunk SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) WHERE first_index = 0`,
      paths: ['ledger/tile/0/000', 'ledger/tile/entries/000', 'ledger/proofs/inclusion?index=1'],
      named:
        /^tile\/0\/000 is not as it was sealed: its hashes do not make the one that tile\/1\/000 holds of it$/,
      untouched: ['ledger/tile/0/001', 'ledger/tile/1/000.p/2'],
    },
    {
      what: 'a hash of a tile above',
      table: 'ledger.tile',
      change: `UPDATE ledger.tile SET hashes = set_byte(hashes, 33, get_byte(hashes, 33) # 1) WHERE level = 1`,
      mend: `UPDATE ledger.tile SET hashes = set_byte(hashes, 33, get_byte(hashes, 33) # 1) WHERE level = 1`,
      paths: [
        'ledger/tile/1/000.p/2',
        'ledger/tile/0/001',
        'ledger/proofs/consistency?from=256',
        `batches/${batchId}/events/{position}/proof`,
      ],
      named: /^tile\/1\/000 hash 1 is not as it was sealed: it is not that of the tile below it$/,
      untouched: [],
    },
    {
      // What the ledger says of itself may stand in a chunk behind the 700 events.
      what: 'a leaf hash at the right edge',
      table: 'ledger.entry_chunk',
      change: `UPDATE ledger.entry_chunk SET hashes = set_byte(hashes, 3, get_byte(hashes, 3) # 1) WHERE first_index = (SELECT max(first_index) FROM ledger.entry_chunk WHERE first_index < 700)`,
      mend: `UPDATE ledger.entry_chunk SET hashes = set_byte(hashes, 3, get_byte(hashes, 3) # 1) WHERE first_index = (SELECT max(first_index) FROM ledger.entry_chunk WHERE first_index < 700)`,
      paths: ['ledger/tile/0/002.p/188', 'ledger/tile/0/000'],
      named: /^tile\/0\/002 hash \d+ is not as it was sealed: it is not that of entry \d+$/,
      untouched: [],
    },
    {
      what: 'an entry of a bundle',
      table: 'ledger.entry_chunk',
      change: `UPDATE ledger.entry_chunk SET entries = set_byte(entries, length(entries) / 2, get_byte(entries, length(entries) / 2) # 1) WHERE first_index = 256`,
      mend: `UPDATE ledger.entry_chunk SET entries = set_byte(entries, length(entries) / 2, get_byte(entries, length(entries) / 2) # 1) WHERE first_index = 256`,
      paths: ['ledger/tile/entries/001'],
      named: /^tile\/entries\/001 is not as it was sealed: /,
      untouched: ['ledger/tile/0/001', 'ledger/tile/entries/000'],
    },
    {
      what: 'the root beside the newest checkpoint',
      table: 'ledger.checkpoint',
      change: `UPDATE ledger.checkpoint SET root = set_byte(root, 0, get_byte(root, 0) # 1) WHERE size = (SELECT max(size) FROM ledger.checkpoint)`,
      mend: `UPDATE ledger.checkpoint SET root = set_byte(root, 0, get_byte(root, 0) # 1) WHERE size = (SELECT max(size) FROM ledger.checkpoint)`,
      paths: ['ledger/tile/0/000', 'ledger/proofs/inclusion?index=1'],
      named:
        /^checkpoint of size \d+ is not as it was sealed: the root beside its note is another than the one in it$/,
      untouched: ['ledger/checkpoint'],
    },
  ]

  for (const { what, table, change, mend, paths, named, untouched } of changes)
    test(`${what} that was changed is refused and named, and answered again without a restart once it is mended`, async () => {
      const asked = paths.map((path) => path.replace('{position}', String(position)))
      const truth = new Map<string, Buffer>()
      await serving(async (get) => {
        for (const path of [...asked, ...untouched]) {
          const answer = await get(path)
          assert.equal(answer.statusCode, 200, `${path}: ${answer.body}`)
          truth.set(path, answer.rawPayload)
        }
      })
      await admin.tamper(table, change)
      await serving(async (get) => {
        try {
          for (const path of asked) {
            const answer = await get(path)
            assert.equal(answer.statusCode, 503, `${path}: ${answer.body}`)
            assert.equal(answer.headers['cache-control'], 'no-store')
            const { code, detail } = answer.json() as { code: string; detail: string }
            assert.equal(code, 'not-as-sealed')
            assert.match(detail, named)
          }
          for (const path of untouched) assert.deepEqual((await get(path)).rawPayload, truth.get(path), path)
        } finally {
          await admin.tamper(table, mend)
        }
        for (const path of asked) {
          const answer = await get(path)
          assert.equal(answer.statusCode, 200, `${path}: ${answer.body}`)
          assert.deepEqual(answer.rawPayload, truth.get(path), path)
        }
      })
    })
})
