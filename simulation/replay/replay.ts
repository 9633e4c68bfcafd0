/**
 * Replays a CSV file of a real run: checks the whole file, then creates a batch of its own, inoculates it at the
 * file's T = 0, publishes every reading over MQTT with its own time, unit and row number (origin `replayed`), and
 * waits until the product has accounted for all of them. The batch stays open: how it ended is not in the file.
 *
 * Out: `…/sensors` `{"at":"2018-10-10T14:42:07.000Z","seq":2,"values":{"Off_Gas_CO2":0.03,…},
 * "units":{"Off_Gas_CO2":"%",…},"origin":"replayed"}`, or one message a reading on the tag's topic.
 */
import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import type { Clock } from '../../infra/clock.ts'
import { sensorTopic } from '../../schemas/mqtt.ts'
import { vesselIdPattern } from '../../schemas/streams.ts'
import type { BatchApi } from '../api-client.ts'
import { createFreeBatch } from '../batch-names.ts'
import type { MessageForm, SensorMessage } from '../messages.ts'
import { stopIfAborted } from '../pacing.ts'
import type { Publisher } from '../publish.ts'
import { SimulationError } from '../simulation-error.ts'
import { untilStored } from '../stored.ts'
import { readColumnMap } from './column-map.ts'
import { isTimeZone } from './local-time.ts'
import { parseReplayCsv, type ReplayFile, type ReplayRow } from './parse-csv.ts'

export type ReplayOptions = {
  readonly file: string
  readonly mapFile?: string
  /** IANA zone of times without zone; default Europe/Vienna. */
  readonly timeZone?: string
  /** Default: named after the file, with a suffix while that vessel is in use. */
  readonly vessel?: string
  /** Default: named after the file. */
  readonly campaign?: string
  readonly number?: number
  readonly form?: MessageForm
}

export type ReplayDeps = {
  readonly clock: Clock
  readonly api: BatchApi
  /** Called once the file has been checked and the batch exists. */
  readonly connect: () => Promise<Publisher>
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { published: number; accounted: number; total: number }) => void
  readonly patienceMs?: number
}

export type ReplayResult = {
  readonly batchId: string
  /** Readings, not messages. */
  readonly published: number
  readonly stored: number
  readonly duplicate: number
  readonly quarantined: number
}

const defaultTimeZone = 'Europe/Vienna'
const futureToleranceMs = 5 * 60_000
const createdBeforeMs = 60_000

/** Throws `SimulationError`; before the file has been checked completely nothing is created or published. */
export async function replay(options: ReplayOptions, deps: ReplayDeps): Promise<ReplayResult> {
  const checked = await readReplayFile(options, deps.clock.nowMs())
  const firstMs = checked.rows[0]?.atMs ?? checked.inoculatedAtMs
  const stem = basename(options.file, extname(options.file))
  const publisher = await deps.connect()
  try {
    const { batchId, vessel } = await createFreeBatch(
      deps.api,
      {
        campaign: options.campaign ?? `replay-${nameFrom(stem, /[^A-Za-z0-9._-]+/g).slice(0, 43)}`,
        number: options.number ?? 1,
        phase: 'A',
        vessel: options.vessel ?? nameFrom(stem, /[^A-Za-z0-9_-]+/g).slice(0, 50),
        variation: 'Replay',
        notes: `Replayed from ${basename(options.file)}`,
        origin: 'replayed',
        occurredAt: at(Math.min(firstMs, checked.inoculatedAtMs) - createdBeforeMs),
      },
      { changeVessel: options.vessel === undefined },
    )
    await deps.api.inoculate(batchId, { goDecision: true, occurredAt: at(checked.inoculatedAtMs) })
    let published = 0
    for (const row of checked.rows)
      for (const message of encodeRow(row, vessel, options.form ?? 'many-tag')) {
        stopIfAborted(deps.signal)
        await publisher.publish(message.topic, message.payload)
        published += message.readings
        deps.onProgress?.({ published, accounted: 0, total: checked.readings })
      }
    await publisher.flush()
    const balance = await untilStored(deps.api, batchId, published, {
      ...(deps.signal ? { signal: deps.signal } : {}),
      ...(deps.patienceMs === undefined ? {} : { patienceMs: deps.patienceMs }),
      onProgress: (accounted) => deps.onProgress?.({ published, accounted, total: checked.readings }),
    })
    return {
      batchId,
      published,
      stored: balance.stored,
      duplicate: balance.duplicate,
      quarantined: balance.quarantined,
    }
  } finally {
    await publisher.close()
  }
}

/** The file, completely checked. Throws `bad-file`, `bad-map` or `bad-options`. */
async function readReplayFile(options: ReplayOptions, nowMs: number): Promise<ReplayFile> {
  const timeZone = options.timeZone ?? defaultTimeZone
  if (!isTimeZone(timeZone))
    throw new SimulationError(
      'bad-options',
      `tz: ${JSON.stringify(timeZone)} is not the IANA name of a time zone`,
      { field: 'tz', value: timeZone },
    )
  if (options.vessel !== undefined && !vesselIdPattern.test(options.vessel))
    throw new SimulationError(
      'bad-options',
      `vessel: ${JSON.stringify(options.vessel)} is not letters, digits, - and _ (at most 50)`,
      { field: 'vessel', value: options.vessel },
    )
  const bytes = await readInput(options.file)
  const map =
    options.mapFile === undefined
      ? undefined
      : readColumnMap(new TextDecoder().decode(await readInput(options.mapFile)), basename(options.mapFile))
  return parseReplayCsv(bytes, {
    name: basename(options.file),
    timeZone,
    latestMs: nowMs + futureToleranceMs,
    ...(map ? { map } : {}),
  })
}

/** The messages of one row: none when it has no readings. */
function encodeRow(row: ReplayRow, vessel: string, form: MessageForm): readonly SensorMessage[] {
  const time = at(row.atMs)
  const seq = row.sequence
  const origin = 'replayed'
  if (row.values.length === 0) return []
  if (form === 'one-tag')
    return row.values.map(({ tag, unit, value }) => ({
      topic: sensorTopic(vessel, tag),
      payload: JSON.stringify({ value, unit, at: time, seq, origin }),
      readings: 1,
    }))
  return [
    {
      topic: sensorTopic(vessel),
      payload: JSON.stringify({
        at: time,
        seq,
        values: Object.fromEntries(row.values.map(({ tag, value }) => [tag, value])),
        units: Object.fromEntries(row.values.map(({ tag, unit }) => [tag, unit])),
        origin,
      }),
      readings: row.values.length,
    },
  ]
}

async function readInput(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    const reason =
      error.code === 'ENOENT'
        ? 'no such file'
        : error.code === 'EISDIR'
          ? 'a folder, not a file'
          : error.message
    throw new SimulationError('bad-file', `${path}: ${reason}`, { file: path, code: error.code })
  })
}

/** The stem with everything a name may not carry replaced; never empty, never starting with a separator. */
const nameFrom = (stem: string, foreign: RegExp): string =>
  stem.replace(foreign, '-').replace(/^[^A-Za-z0-9]+/, '') || 'file'

const at = (ms: number): string => new Date(ms).toISOString()
