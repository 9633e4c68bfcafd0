/**
 * The continuous check inside the running product: whatever a database superuser changes behind its back, in events, in
 * the log or in read models, is named in an event, an alarm, the readiness and a metric, and only once.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { embeddedPostgresUrls } from '../infra/postgres/embedded.ts'
import { superuser } from '../ledger/audit/testing/superuser.ts'
import { eventually, type RunningProduct, root, startProduct, withoutSettings } from './support/product.ts'

type Ready = { status: string; checks: Record<string, { ok: boolean; detail?: string }> }

const readiness = async (product: RunningProduct): Promise<Ready> =>
  (await (await fetch(new URL('/readyz', product.url))).json()) as Ready

async function metric(product: RunningProduct, name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', product.url))).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

function auditOnce(folder: string): Promise<{ code: number; answer: { findings: unknown[]; size: string } }> {
  return new Promise((settle, fail) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', join(root, 'main.ts'), 'ledger-audit', '--once', '--json', '--data-dir', folder],
      { cwd: root, env: withoutSettings(process.env) },
      (error, stdout, stderr) => {
        try {
          settle({ code: Number(error?.code ?? 0), answer: JSON.parse(stdout) })
        } catch {
          fail(new Error(`no answer: ${stderr}`))
        }
      },
    )
  })
}

test('a row changed by a superuser in events, tiles or read models is named by the running product, once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-audit-'))
  const product = await startProduct({ dataFolder: folder })
  t.after(async () => {
    await product.kill()
    await rm(folder, { recursive: true, force: true })
  })
  const created = await product.post('/api/v1/batches', { number: 1, phase: 'A', vessel: 'V-01' })
  assert.equal(created.status, 201)
  const cycles = () => metric(product, 'bioledger_ledger_audit_cycles_total')
  await eventually('a whole cycle', async () => (await cycles()) >= 1)
  await eventually(
    'the batch to be sealed',
    async () => (await metric(product, 'bioledger_ledger_published_size')) >= 2,
  )
  const before = await cycles()
  await eventually('a cycle over the batch', async () => (await cycles()) >= before + 2)
  assert.equal((await readiness(product)).checks['ledger-audit']?.ok, true)
  assert.equal(await metric(product, 'bioledger_ledger_audit_findings'), 0)
  assert.deepEqual((await auditOnce(folder)).code, 0)

  const { adminUrl } = await embeddedPostgresUrls(
    join(folder, 'postgres'),
    Number(new URL(product.endpoints.postgres ?? '').port),
  )
  const admin = await superuser(adminUrl())
  const [row] = await admin.query<{ position: string; name: string; revision: string }>(
    `SELECT position, name, event.revision FROM event_store.event JOIN event_store.stream USING (stream_key) WHERE type = 'BatchCreated'`,
  )
  assert.ok(row)
  await admin.tamper(
    'event_store.event',
    `UPDATE event_store.event SET content = replace(content, '"vessel":"V-01"', '"vessel":"V-02"') WHERE position = $1`,
    [row.position],
  )
  await admin.tamper(
    'ledger.entry_chunk',
    'UPDATE ledger.entry_chunk SET hashes = set_byte(hashes, 3, 255 - get_byte(hashes, 3)) WHERE first_index = 0',
  )
  await admin.tamper(
    'projections.timeline',
    `UPDATE projections.timeline SET sentence = 'all is well' WHERE type <> 'BatchCreated'`,
  )

  const expected = [
    `event ${row.name} revision ${row.revision} at position ${row.position}: it is not as it was sealed: payload.hash`,
    'tile tile/0/000 hash 0, entry 0 (',
    'read-model table timeline, ',
  ]
  /** Of the tripwire, which knows the table before any row is found. */
  const tripped = [
    'event table event_store.event: 1 rows were changed',
    'bundle table ledger.entry_chunk: 1 rows were changed',
    'read-model table projections.timeline: ',
  ]
  const { detail, code, answer } = await eventually('every change to be named', async () => {
    const once = await auditOnce(folder)
    const check = (await readiness(product)).checks['ledger-audit']
    return check && !check.ok && once.code === 1
      ? { detail: check.detail ?? '', code: once.code, answer: once.answer }
      : undefined
  })
  assert.equal(code, 1)
  const spoken = answer.findings
    .map((found) => Object.values(found as Record<string, string>))
    .map(([kind, subject, finding]) => `${kind} ${subject}: ${finding}`)
  for (const part of expected)
    assert.ok(
      spoken.some((line) => line.startsWith(part)),
      `${part} in ${spoken.join('\n')}`,
    )
  assert.match(detail, /not as sealed/)
  assert.ok((await metric(product, 'bioledger_ledger_audit_findings')) > 0)

  const told = () =>
    admin.query<{ type: string; content: string }>(
      `SELECT type, content FROM event_store.event WHERE type IN ('LedgerFindingRaised', 'AlarmRaised') ORDER BY position`,
    )
  await eventually('findings and an alarm in the store', async () => {
    const events = await told()
    return (
      [...expected, ...tripped].every((part) =>
        events.some(({ content }) => {
          const { data } = JSON.parse(content) as { data: Record<string, string> }
          return `${data.kind} ${data.subject}: ${data.finding}`.startsWith(part)
        }),
      ) && events.some(({ content }) => content.includes('store_integrity'))
    )
  })
  const count = (await told()).length
  const reached = await cycles()
  await eventually('two more cycles', async () => (await cycles()) >= reached + 2)
  assert.equal((await told()).length, count, 'the same finding is told once')
  assert.equal((await readiness(product)).status, 'not-ready')

  await admin.tamper(
    'event_store.event',
    `UPDATE event_store.event SET content = replace(content, '"vessel":"V-02"', '"vessel":"V-01"') WHERE position = $1`,
    [row.position],
  )
  await admin.tamper(
    'ledger.entry_chunk',
    'UPDATE ledger.entry_chunk SET hashes = set_byte(hashes, 3, 255 - get_byte(hashes, 3)) WHERE first_index = 0',
  )
  await eventually('the mended rows to be no findings any more', async () => {
    const { detail: left = '' } = (await readiness(product)).checks['ledger-audit'] ?? {}
    return left.includes('read-model table timeline') && !/(event|tile) /.test(left)
  })
  await admin.end()
  assert.equal(await product.stop(), 0)
})
