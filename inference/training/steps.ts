/** The steps of training: data set, fit, calibrate, judge, document. Each reads what the one before left in the work folder. */
import { spawn } from 'node:child_process'
import { appendFile, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Calibration } from '../../domain/forecast/calibration.ts'
import { featureSchema, featureSchemaHash, softFeatures } from '../../domain/forecast/feature-schema.ts'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import { type FaultFigures, faultTable } from '../evaluate/fault-table.ts'
import { type FoldedBatch, foldedBatch } from '../evaluate/folded-batch.ts'
import { scoreBatch } from '../evaluate/score-batch.ts'
import type { ScoreRow } from '../evaluate/score-row.ts'
import { type Evaluation, summary } from '../evaluate/summary.ts'
import { foldedThroughFile } from '../event-file/export-simulated.ts'
import { foldedFromFile } from '../event-file/folded-from-file.ts'
import { committedModel } from '../model/committed-model.ts'
import { type LoadedModel, loadModel } from '../model/load-model.ts'
import {
  type BatchName,
  calibrationBatches,
  judgingBatches,
  runOf,
  sealedBatches,
  trainingBatches,
} from './batches.ts'
import { cardOf, cardText } from './card.ts'
import { dataSet } from './data-set.ts'
import { compareWithTrainer, type Parity } from './parity.ts'
import { modelHashOfFolder, modelHeads, sealArtefact } from './seal-artefact.ts'
import { sealedSetRead, sealedSetReads } from './sealed-set.ts'
import { stretchOf } from './stretch.ts'

export type TrainingOptions = {
  readonly out: string
  readonly work: string
  readonly python: string
  readonly windows?: string
  /** Folder of event files of further batches, as `bioledger export-events` writes them. */
  readonly events?: string
  readonly trials: number
  readonly parameters?: string
  readonly campaigns: number
  readonly faultBatches: number
  readonly say: (text: string) => void
}

const everyWindows = 8
const faultSeed = 5001
/** Kind is shown beside the realistic scenario, with fewer campaigns. */
const kindShare = 10
const here = dirname(fileURLToPath(import.meta.url))
const modelFiles = [
  ...modelHeads.map(({ file }) => file),
  'calibration.json',
  'training-reference.json',
  'training.json',
]

export async function makeDataSet(options: TrainingOptions): Promise<void> {
  await mkdir(join(options.work, 'events'), { recursive: true })
  const set = dataSet(everyWindows)
  const lineage: Record<string, unknown>[] = []
  for (const name of trainingBatches) {
    const folded = await foldFromEvents(name, options)
    set.add(name, folded)
    lineage.push({
      ...name,
      readings: folded.readings,
      windows: folded.windows.length,
      sha256: folded.sha256,
    })
    options.say(`${lineage.length} of ${trainingBatches.length} batches, ${set.rows()} rows`)
  }
  for (const [index, path] of (await eventFilesIn(options.events)).entries()) {
    const folded = await foldedFromFile(path)
    const name = { campaign: 0, number: index + 1, noise: folded.truth ? 'simulated' : 'none' }
    set.add(name, folded)
    lineage.push({
      ...name,
      batchId: folded.batchId,
      readings: folded.readings,
      windows: folded.windows.length,
      sha256: folded.sha256,
    })
    options.say(`${path}, ${set.rows()} rows`)
  }
  set.write(join(options.work, 'data-set.parquet'))
  await write(options, 'data-set.json', {
    everyWindows,
    rows: set.rows(),
    featureSchemaHash,
    batches: lineage,
  })
}

export async function fitHeads(options: TrainingOptions): Promise<void> {
  await write(options, 'feature-schema.json', { ...featureSchema, softColumns: softFeatures.length })
  await python(options, 'train.py', [
    join(options.work, 'data-set.parquet'),
    join(options.work, 'feature-schema.json'),
    join(options.work, 'model'),
    '--trials',
    String(options.trials),
    ...(options.parameters === undefined ? [] : ['--parameters', options.parameters]),
  ])
  const parity = await compareWithTrainer(join(options.work, 'model'), modelHeads)
  await write(options, 'parity.json', parity)
  options.say(
    `Node equals LightGBM within ${parity.largestDifference} on ${parity.rows} rows of ${parity.heads} heads`,
  )
  await mkdir(options.out, { recursive: true })
  await rm(join(options.out, 'manifest.json'), { force: true })
  for (const file of modelFiles) await copyFile(join(options.work, 'model', file), join(options.out, file))
  await sealArtefact(options.out, committedModel, [])
}

/** The width of the interval, on batches that the heads have not seen. */
export async function calibrate(options: TrainingOptions): Promise<void> {
  const stretch = stretchOf()
  const model = await loadModel(options.out)
  try {
    await score(model, calibrationBatches, 'calibration', options, stretch.add)
  } finally {
    await model.close()
  }
  const path = join(options.out, 'calibration.json')
  const calibration = JSON.parse(await readFile(path, 'utf8')) as Calibration
  const widened = { ...calibration, widening: stretch.widened(calibration.widening) }
  await writeFile(path, `${JSON.stringify(widened, null, 1)}\n`)
  await sealArtefact(options.out, committedModel, [])
}

/** Fresh campaigns, the kind scenario and the faults first; the sealed set last, with its event. */
export async function judge(options: TrainingOptions): Promise<void> {
  const model = await loadModel(options.out)
  try {
    await score(model, judgingBatches(options.campaigns, 'realistic'), 'realistic', options)
    await score(model, judgingBatches(Math.ceil(options.campaigns / kindShare), 'kind'), 'kind', options)
    const faults = await faultTable(
      model,
      {
        seed: faultSeed,
        batches: options.faultBatches,
        ...(options.windows ? { keepIn: options.windows } : {}),
      },
      options.say,
    )
    await write(options, 'faults.json', faults)
    const sealed = await score(model, sealedBatches, 'sealed', options)
    const before = await sealedSetReads(dirname(options.out))
    const event = sealedSetRead(model, canonicalJson(sealed), new Date().toISOString(), before.length + 1)
    const lines = [...before, event].map((read) => `${JSON.stringify(read)}\n`)
    await writeFile(join(options.work, 'sealed-set-reads.ndjson'), lines.join(''))
  } finally {
    await model.close()
  }
}

export async function document(options: TrainingOptions): Promise<void> {
  const read = async <T>(name: string): Promise<T> =>
    JSON.parse(await readFile(join(options.work, name), 'utf8')) as T
  const modelHash = await modelHashOfFolder(options.out, committedModel)
  const card = cardOf({
    modelHash,
    training: await read('model/training.json'),
    dataSet: await read('data-set.json'),
    parity: await read<Parity>('parity.json'),
    realistic: await read<Evaluation>('realistic.json'),
    kind: await read<Evaluation>('kind.json'),
    sealed: await read<Evaluation>('sealed.json'),
    calibration: await read<Evaluation>('calibration.json'),
    middleShare: (await read<Pick<Calibration, 'middle'>>('model/calibration.json')).middle,
    faults: await read<readonly FaultFigures[]>('faults.json'),
    sealedReads: (await readFile(join(options.work, 'sealed-set-reads.ndjson'), 'utf8')).trim().split('\n')
      .length,
    reference: await read('model/training-reference.json'),
  })
  await writeFile(join(options.out, 'card.json'), `${JSON.stringify(card, null, 1)}\n`)
  await writeFile(join(options.out, 'card.md'), cardText(card))
  await copyFile(join(options.work, 'sealed-set-reads.ndjson'), join(options.out, 'sealed-set-reads.ndjson'))
  await copyFile(join(options.work, 'data-set.json'), join(options.out, 'data-set.json'))
  await python(options, 'report.py', [
    options.work,
    join(options.out, 'card.json'),
    join(options.out, 'report.html'),
  ])
  const manifest = await sealArtefact(options.out, committedModel, [
    'card.json',
    'card.md',
    'report.html',
    'sealed-set-reads.ndjson',
    'training.json',
    'data-set.json',
  ])
  options.say(`sealed ${manifest.modelId} ${manifest.version}, model hash ${manifest.modelHash}`)
}

async function score(
  model: LoadedModel,
  names: readonly BatchName[],
  label: string,
  options: TrainingOptions,
  each: (row: ScoreRow) => void = () => {},
): Promise<Evaluation> {
  const figures = summary()
  const path = join(options.work, `${label}.ndjson`)
  await writeFile(path, '')
  for (const name of names) {
    let text = ''
    await scoreBatch(model, `${name.campaign}/${name.number}`, await fold(name, options), (row) => {
      figures.add(row)
      each(row)
      text += `${JSON.stringify(row)}\n`
    })
    await appendFile(path, text)
    options.say(`${label}: campaign ${name.campaign}, batch ${name.number}`)
  }
  const result = figures.result()
  await write(options, `${label}.json`, result)
  return result
}

async function eventFilesIn(folder: string | undefined): Promise<string[]> {
  if (folder === undefined) return []
  const names = (await readdir(folder)).filter((name) => name.endsWith('.parquet')).sort()
  if (names.length === 0) throw new RangeError(`--events ${folder}: holds no event file (*.parquet)`)
  return names.map((name) => join(folder, name))
}

/** Simulated, exported as the product exports a batch's events, and folded from that file; it stays in the work folder. */
async function foldFromEvents(name: BatchName, options: TrainingOptions): Promise<FoldedBatch> {
  if (options.windows !== undefined) return fold(name, options)
  const { run, planned } = runOf(name)
  const path = join(options.work, 'events', `${name.campaign}-${name.number}.parquet`)
  const { truth, ...folded } = await foldedThroughFile(run, planned, path)
  if (!truth) throw new Error(`${path}: the simulation's truth is missing`)
  return { ...folded, truth }
}

async function fold(name: BatchName, options: TrainingOptions): Promise<FoldedBatch> {
  const { run, planned } = runOf(name)
  return foldedBatch(run, planned, options.windows)
}

const write = (options: TrainingOptions, name: string, value: unknown): Promise<void> =>
  writeFile(join(options.work, name), `${JSON.stringify(value, null, 1)}\n`)

function python(options: TrainingOptions, script: string, parameters: readonly string[]): Promise<void> {
  return new Promise((settle, fail) => {
    const child = spawn(options.python, [join(here, script), ...parameters], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    child.on('error', fail)
    child.on('exit', (code) => (code === 0 ? settle() : fail(new Error(`${script}: ended with ${code}`))))
  })
}
