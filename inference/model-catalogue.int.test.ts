import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { quietLog } from '../infra/feed/testing/feed-store.ts'
import { openCatalogue } from './model-catalogue.ts'

const committed = fileURLToPath(new URL('./models', import.meta.url))
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bioledger-models-'))
  await cp(committed, folder, { recursive: true })
})
after(() => rm(folder, { recursive: true, force: true }))

async function onnxFile(): Promise<string> {
  const names = await readdir(folder, { recursive: true })
  const name = names.find((one) => one.endsWith('.onnx'))
  if (name === undefined) throw new Error('no model is committed')
  return join(folder, name)
}

test('the committed models are intact, and the inputs that matter most are watched', async () => {
  const catalogue = await openCatalogue(committed, quietLog)
  try {
    assert.deepEqual(catalogue.broken(), [])
    const [model] = catalogue.installed()
    assert.ok(model && catalogue.find(model.modelHash) === model)
    assert.equal(model.watchedFeatures?.length, 15)
    assert.ok(Object.keys(model.trainingReference?.phases ?? {}).length >= 2)
  } finally {
    await catalogue.close()
  }
})

test('a model with one changed byte is no longer at hand after the next check, and is again when the byte is back', async () => {
  const catalogue = await openCatalogue(folder, quietLog)
  try {
    const [model] = catalogue.installed()
    assert.ok(model)
    const file = await onnxFile()
    const bytes = await readFile(file)
    const changed = Buffer.from(bytes)
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1
    await writeFile(file, changed)
    await catalogue.check()
    assert.equal(catalogue.find(model.modelHash), undefined)
    assert.equal(catalogue.broken().length, 1)
    assert.match(catalogue.broken()[0]?.finding ?? '', /SHA-256/)
    await writeFile(file, bytes)
    await catalogue.check()
    assert.equal(catalogue.find(model.modelHash)?.modelHash, model.modelHash)
    assert.deepEqual(catalogue.broken(), [])
  } finally {
    await catalogue.close()
  }
})

test('a folder without models holds none', async () => {
  const catalogue = await openCatalogue(join(folder, 'nowhere'), quietLog)
  assert.deepEqual(catalogue.installed(), [])
  assert.deepEqual(catalogue.broken(), [])
  await catalogue.close()
})
