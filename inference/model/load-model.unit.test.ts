import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { headNames } from '../../domain/forecast/calibration.ts'
import { featureNames, featureSchemaHash } from '../../domain/forecast/feature-schema.ts'
import type { ForecastInput } from '../../domain/forecast/outcome.ts'
import { sampleInput } from '../../domain/forecast/testing/sample-estimate.ts'
import { committedModelFolder } from './committed-model.ts'
import { loadModel } from './load-model.ts'
import { ModelError } from './model-error.ts'

/** Rows that spread over the features, with gaps, without a random number. */
const inputs: readonly ForecastInput[] = Array.from({ length: 60 }, (_, row) =>
  sampleInput({
    features: Float32Array.from(featureNames, (_name, column) =>
      (row + column) % 17 === 0 ? Number.NaN : Math.sin(row * 1.7 + column) * (1 + (column % 5)),
    ),
  }),
)

async function copied(change: (folder: string) => Promise<void>): Promise<ModelError> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-model-'))
  try {
    await cp(committedModelFolder, folder, { recursive: true })
    await change(folder)
    const model = await loadModel(folder).catch((error: unknown) => error)
    assert.ok(model instanceof ModelError, 'the model was loaded all the same')
    return model
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('the committed model loads, states its hashes and runtime, and has every head', async () => {
  const model = await loadModel(committedModelFolder)
  try {
    assert.match(model.modelHash, /^[0-9a-f]{64}$/)
    assert.equal(model.featureSchemaHash, featureSchemaHash)
    assert.match(model.runtime, /^onnxruntime-node \d+\.\d+\.\d+, cpu, 1 thread$/)
    const [outputs] = await model.predict(inputs.slice(0, 1))
    assert.deepEqual(Object.keys(outputs ?? {}).toSorted(), headNames.toSorted())
  } finally {
    await model.close()
  }
})

test('one row or many at a time give the same bits', async () => {
  const model = await loadModel(committedModelFolder)
  try {
    const together = await model.predict(inputs)
    for (const [index, input] of inputs.entries())
      assert.deepEqual((await model.predict([input]))[0], together[index])
  } finally {
    await model.close()
  }
})

test('no head is asked about a withheld input, and the others keep their order', async () => {
  const model = await loadModel(committedModelFolder)
  try {
    const withheld = sampleInput({ withhold: { reason: 'inputs-disagree', detail: 'a contradiction' } })
    const [first, second, third] = inputs
    assert.ok(first && second && third)
    const alone = await model.predict([first, second, third])
    const mixed = await model.predict([first, withheld, second, third])
    assert.deepEqual(mixed, [alone[0], {}, alone[1], alone[2]])
  } finally {
    await model.close()
  }
})

test('a single flipped byte of any file is refused, and the file is named', async () => {
  for (const file of ['od-30m-p50.onnx', 'calibration.json', 'card.json']) {
    const error = await copied(async (folder) => {
      const content = await readFile(join(folder, file))
      content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1
      await writeFile(join(folder, file), content)
    })
    assert.equal(error.code, 'hash-mismatch')
    assert.equal(error.facts.file, file)
  }
})

test('a manifest that was altered has another model hash than it states', async () => {
  const error = await copied(async (folder) => {
    const path = join(folder, 'manifest.json')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace(/"version": "[^"]+"/, '"version": "9.9.9"'))
  })
  assert.equal(error.code, 'hash-mismatch')
  assert.equal(error.facts.file, 'manifest.json')
})

test('a missing file, and a manifest that is none, are named', async () => {
  const missing = await copied((folder) => rm(join(folder, 'od-2h-p95.onnx')))
  assert.equal(missing.code, 'unreadable')
  assert.match(missing.message, /od-2h-p95\.onnx/)
  const broken = await copied((folder) => writeFile(join(folder, 'manifest.json'), '{"modelId":1}'))
  assert.equal(broken.code, 'schema')
  assert.match(broken.message, /manifest\.json: modelId/)
})
