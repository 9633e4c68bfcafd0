/**
 * `npm run evaluate -- --seed N [--campaigns K] [--noise realistic|kind] [--rows <file.ndjson>] [--json [--details]]`: the
 * committed model over batches 16 to 18 of K simulated campaigns, through the product's own path (events, window fold,
 * forecast fold, ONNX sessions). Campaign seeds are N, N + 1, … Prints the figures of `summary.ts`. Exit status: 0
 * judged, 2 usage, or a file that cannot be read or written.
 */

import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { campaignBatch, plannedBatch } from '../../domain/campaign.ts'
import type { NoiseKind } from '../../domain/process-model/noise.ts'
import { committedModelFolder } from '../model/committed-model.ts'
import { loadModel } from '../model/load-model.ts'
import { ModelError } from '../model/model-error.ts'
import { type FaultFigures, faultTable } from './fault-table.ts'
import { foldedBatch } from './folded-batch.ts'
import { scoreBatch } from './score-batch.ts'
import { type Evaluation, headline, summary } from './summary.ts'

type Options = {
  readonly seed: number
  readonly campaigns: number
  readonly noise: NoiseKind
  readonly batches: readonly number[]
  readonly rows?: string
  readonly model: string
  readonly windows?: string
  readonly faults: boolean
  readonly only?: string
  readonly json: boolean
  readonly details: boolean
}

async function main(): Promise<void> {
  const options = parse()
  const model = await loadModel(options.model)
  const rows = options.rows === undefined ? undefined : (await open(options.rows, 'w')).createWriteStream()
  const figures = summary()
  if (options.faults) {
    try {
      const table = await faultTable(
        model,
        {
          seed: options.seed,
          batches: options.campaigns,
          ...(options.windows ? { keepIn: options.windows } : {}),
          ...(options.only ? { only: options.only } : {}),
        },
        (text) => process.stderr.write(`${text}\n`),
      )
      process.stdout.write(options.json ? `${JSON.stringify(table)}\n` : faultLines(table))
    } finally {
      await model.close()
    }
    return
  }
  try {
    for (let campaign = options.seed; campaign < options.seed + options.campaigns; campaign++)
      for (const number of options.batches) {
        const planned = plannedBatch(number)
        if (!planned) throw new RangeError(`batch ${number}: not in the plan of 18`)
        const run = campaignBatch(planned, { seed: campaign, noise: options.noise })
        const folded = await foldedBatch(run, planned, options.windows)
        let text = ''
        await scoreBatch(model, `${campaign}/${number}`, folded, (row) => {
          figures.add(row)
          if (rows) text += `${JSON.stringify(row)}\n`
        })
        if (rows && !rows.write(text)) await once(rows, 'drain')
        process.stderr.write(
          `campaign ${campaign}, batch ${number}: ${folded.readings} readings, ${folded.windows.length} windows\n`,
        )
      }
  } finally {
    rows?.end()
    if (rows) await once(rows, 'finish')
    await model.close()
  }
  const result = figures.result()
  process.stdout.write(
    options.json ? `${JSON.stringify(options.details ? result : headline(result))}\n` : table(result),
  )
}

function parse(): Options {
  return new Command('evaluate')
    .exitOverride()
    .requiredOption('--seed <n>', 'seed of the first campaign', wholeNumber)
    .option('--campaigns <k>', 'how many campaigns, from 1 on', atLeastOne, 5)
    .option('--noise <kind>', 'realistic or kind', noise, 'realistic')
    .option('--batches <list>', 'batch numbers of each campaign', numbers, [16, 17, 18])
    .option('--rows <file>', 'write each scored forecast as a line of JSON')
    .option('--faults', 'the fault table instead: one batch a campaign and fault', false)
    .option('--only <text>', 'faults with this in their name')
    .option('--model <folder>', 'another model than the committed one', committedModelFolder)
    .option('--windows <folder>', 'keep folded windows here, and take them from here')
    .option('--json', 'print one line of JSON', false)
    .option('--details', 'with --json: by phase, persistence, and what was withheld too', false)
    .parse()
    .opts<Options>()
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number from 0 to 999999999.')
  return Number(text)
}

function noise(text: string): NoiseKind {
  if (text !== 'realistic' && text !== 'kind') throw new InvalidArgumentError('realistic or kind.')
  return text
}

function atLeastOne(text: string): number {
  const value = wholeNumber(text)
  if (value === 0) throw new InvalidArgumentError('a whole number from 1 on.')
  return value
}

function numbers(text: string): number[] {
  const all = text.split(',').map(wholeNumber)
  const unplanned = all.find((number) => plannedBatch(number) === undefined)
  if (unplanned !== undefined) throw new InvalidArgumentError(`${unplanned} is not in the plan of 18.`)
  if (new Set(all).size < all.length) throw new InvalidArgumentError('each batch once.')
  return all
}

function table(result: Evaluation): string {
  const percent = (value: number | null): string =>
    (value === null ? '-' : (100 * value).toFixed(2)).padStart(9)
  const lines = ['horizon  mre %  offline %  skill persistence  skill last µ  coverage %']
  for (const [name, figures] of Object.entries(result.horizons))
    lines.push(
      `${name.padEnd(6)}${percent(figures.mre)}${percent(figures.mreOffline)}${percent(figures.skillPersistence)}${percent(figures.skillLastMu)}${percent(figures.coverage90)}`,
    )
  lines.push(
    `soft sensor${percent(result.softSensor.mre)}, gas and base${percent(result.softSensor.mreGasAndBase)}, gas only${percent(result.softSensor.mreGasOnly)}`,
  )
  lines.push(
    `depletion ${result.depletion.meanAbsMinutes?.toFixed(1)} min, worst batch ${result.depletion.worstBatchMinutes?.toFixed(1)} min`,
  )
  lines.push(`withheld before depletion${percent(result.withheld.share)} %`)
  return `${lines.join('\n')}\n`
}

function faultLines(table: readonly FaultFigures[]): string {
  const percent = (value: number | null): string =>
    (value === null ? '-' : (100 * value).toFixed(1)).padStart(7)
  const lines = [
    'fault: withheld %, issued: mre 30 min, 2 h, coverage 30 min, 2 h, far off and sure 30 min, 2 h; depletion min, coverage',
  ]
  for (const one of table)
    lines.push(
      `${one.fault.padEnd(32)}${percent(one.withheldShare)} |${percent(one.mre30m)}${percent(one.mre2h)} |${percent(one.coverage30m)}${percent(one.coverage2h)} |${percent(one.confidentlyWrong30m)}${percent(one.confidentlyWrong2h)} |${(one.depletionMinutes?.toFixed(1) ?? '-').padStart(6)}${percent(one.depletionCoverage)} | ${one.withheldAfterHours?.toFixed(2) ?? '-'} h ${one.firstReason ?? ''}`,
    )
  return `${lines.join('\n')}\n`
}

const isOfTheFileSystem = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error

try {
  await main()
} catch (error) {
  // Commander has said itself what it found; help is no error.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof ModelError || error instanceof RangeError || isOfTheFileSystem(error)) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
  } else throw error
}
