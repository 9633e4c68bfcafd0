import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  modelActivated,
  modelApproved,
  modelRegistered,
  modelSuspended,
} from '../testing/evidence-histories.ts'
import { readSide } from '../testing/read-side.ts'

const card = '<!doctype html><title>Card</title><p>Forecasts OD600 of glycerol batches.'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

async function folderWith(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-models-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const place = join(folder, 'any', 'name')
  await mkdir(place, { recursive: true })
  await writeFile(join(place, 'manifest.json'), JSON.stringify({ modelId: 'od600', version: '1.0.0' }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text)
  return folder
}

type Models = { items: { version: string; state: string; activeFor: string[]; modelHash: string }[] }

test('which model is active, and for which data, is answered as of any position', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const simulated = await side.append([
    modelRegistered('1.0.0'),
    modelApproved('1.0.0', ['simulated', 'replayed']),
    modelActivated('1.0.0'),
  ])
  const live = await side.append([modelApproved('1.0.0', ['live'])])
  const suspended = await side.append([modelSuspended('1.0.0')])
  await side.projected(suspended)
  const statesAt = async (position: bigint) =>
    ((await side.get(`/api/v1/models?asOfPosition=${position}`)).json() as Models).items.map(
      ({ state, activeFor }) => [state, activeFor],
    )
  assert.deepEqual(await statesAt(simulated - 2n), [['registered', []]])
  assert.deepEqual(await statesAt(simulated), [['active', ['replayed', 'simulated']]])
  assert.deepEqual(await statesAt(live), [['active', ['live', 'replayed', 'simulated']]])
  assert.deepEqual(await statesAt(suspended), [['suspended', []]])
  const one = (await side.get('/api/v1/models/od600')).json() as {
    versions: { suspension: unknown }[]
    history: { type: string; sentence: string }[]
  }
  assert.deepEqual(one.versions[0]?.suspension, {
    rule: 'coverage',
    finding: '12 of 20 covered',
    automatic: true,
  })
  assert.deepEqual(
    one.history.map(({ type }) => type),
    ['ModelRegistered', 'ModelApproved', 'ModelActivated', 'ModelApproved', 'ModelSuspended'],
  )
  assert.equal((await side.get('/api/v1/models/unheard-of')).status, 404)
})

test('the card shown is the card that was registered; another one is refused', async (t) => {
  const modelFolder = await folderWith(t, { 'card.html': card, 'report.html': '<p>changed since' })
  const side = await readSide(t, { modelFolder })
  await side.startProjector()
  await side.projected(
    await side.append([
      modelRegistered('1.0.0', { cardSha256: sha256(card) }),
      modelRegistered('2.0.0', { reportSha256: '0'.repeat(64) }),
    ]),
  )
  const listed = (await side.get('/api/v1/models')).json() as { items: { reportSha256: string | null }[] }
  assert.deepEqual(
    listed.items.map(({ reportSha256 }) => reportSha256),
    ['e'.repeat(64), null],
  )
  const shown = await side.get('/api/v1/models/od600/card?version=1.0.0')
  assert.equal(shown.status, 200)
  assert.equal(shown.body, card)
  assert.match(String(shown.headers['content-type']), /^text\/html/)
  assert.match(String(shown.headers['content-security-policy']), /default-src 'none'.*sandbox/)
  const changed = await side.get('/api/v1/models/od600/report?version=1.0.0')
  assert.equal(changed.status, 409)
  assert.equal(changed.json().code, 'artefact-changed')
  const missing = await side.get('/api/v1/models/od600/card?version=2.0.0')
  assert.equal(missing.status, 404)
  assert.equal((await side.get('/api/v1/models/od600/card?version=9.9.9')).status, 404)
})

test('a card that is a record is a page for people and the registered bytes for programs', async (t) => {
  const record = '{"intendedUse":"advisory only"}'
  const modelFolder = await folderWith(t, { 'card.json': record })
  const side = await readSide(t, { modelFolder })
  await side.startProjector()
  await side.projected(await side.append([modelRegistered('1.0.0', { cardSha256: sha256(record) })]))
  const bytes = await side.get('/api/v1/models/od600/card', { accept: 'application/json' })
  assert.equal(bytes.body, record)
  const page = await side.get('/api/v1/models/od600/card', { accept: 'text/html,*/*;q=0.8' })
  assert.match(String(page.headers['content-type']), /^text\/html/)
  assert.match(page.body, /<dt>Intended use<\/dt><dd>advisory only<\/dd>/)
  assert.equal(page.headers['artefact-sha256'], sha256(record))
})
