/**
 * The append path alone, all on one server in one run: our adapter, emmett-postgresql at its best batch size,
 * and raw COPY of the same payload into a bare table. Rounds alternate so that a drifting machine hits all alike.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { canonicalJson } from '../schemas/canonical-json.ts'
import { costOf } from './processes.ts'
import { messageOfReadings, tagsPerMessage } from './readings.ts'
import { type Measurement, median } from './report.ts'
import { loadEmmett } from './rivals.ts'

const rounds = 5
const vessels = 1_000
const startMs = Date.parse('2026-01-01T00:00:00.000Z')

export async function benchAppendPath(deps: {
  store: EventStore
  adminUrl: string
  scale: number
}): Promise<readonly Measurement[]> {
  const messagesPerRound = Math.max(10, Math.round(2_000 * deps.scale))
  const eventsPerRound = messagesPerRound * tagsPerMessage
  const emmett = await loadEmmett()
  const copy = new pg.Client({ connectionString: deps.adminUrl })
  await copy.connect()
  await copy.query(
    'CREATE TABLE IF NOT EXISTS bench_copy (position bigint PRIMARY KEY, stream text NOT NULL, payload text NOT NULL)',
  )
  const rival = emmett?.(deps.adminUrl)
  const ours: number[] = []
  const emmettRates = new Map<number, number[]>()
  const copied: number[] = []
  const copiedReady: number[] = []
  let next = 0
  let copyPosition = 0
  let ourCpu = { product: 0, postgres: 0, seconds: 0 }
  // Round 0 warms all of them up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const messages = Array.from({ length: messagesPerRound }, () =>
      messageOfReadings(next++, vessels, startMs),
    )
    const before = await costOf(process.pid)
    ours.push(
      await rate(eventsPerRound, async () => {
        // What ingest does: many vessels in flight, one append a vessel, the adapter commits them in groups.
        const lanes = 250
        await Promise.all(
          Array.from({ length: lanes }, async (_, lane) => {
            for (let at = lane; at < messages.length; at += lanes) {
              const { stream, events } = messages[at]!
              const [outcome] = await deps.store.append([{ stream, expectedRevision: 'any', events }])
              if (outcome?.kind !== 'appended') throw new Error(`append answered ${outcome?.kind}`)
            }
          }),
        )
      }),
    )
    const after = await costOf(process.pid)
    ourCpu = {
      product: ourCpu.product + after.productCpu - before.productCpu,
      postgres: ourCpu.postgres + after.postgresCpu - before.postgresCpu,
      seconds: ourCpu.seconds + eventsPerRound / ours.at(-1)!,
    }
    copied.push(
      await rate(eventsPerRound, async () => {
        const lines = messages.flatMap(({ stream, events }) =>
          events.map(
            (event) => `${++copyPosition}\t${stream}\t${canonicalJson(event).replaceAll('\\', '\\\\')}\n`,
          ),
        )
        const readyMs = performance.now()
        await pipeline(
          Readable.from(chunked(lines, 1_000)),
          copy.query(copyFrom('COPY bench_copy FROM STDIN')),
        )
        copiedReady.push(eventsPerRound / ((performance.now() - readyMs) / 1000))
      }),
    )
    if (rival)
      for (const batch of [100, 500, 1_000]) {
        const flat = messages.flatMap(({ events }) => events)
        const figure = await rate(eventsPerRound, async () => {
          for (let at = 0; at < flat.length; at += batch)
            await rival.appendToStream(
              `bench-${round}-${batch}-${at}`,
              flat
                .slice(at, at + batch)
                .map(({ type, id, ...data }) => ({ type, data, metadata: { messageId: id } })),
            )
        })
        emmettRates.set(batch, [...(emmettRates.get(batch) ?? []), figure])
      }
  }
  await copy.query('DROP TABLE bench_copy')
  await copy.end()
  await rival?.close()
  const counted = (rates: readonly number[]) => median(rates.slice(1))
  const best = [...emmettRates]
    .map(([batch, rates]) => ({ batch, rate: counted(rates) }))
    .sort((a, b) => b.rate - a.rate)[0]
  const ourRate = counted(ours)
  return [
    {
      name: `append, ${tagsPerMessage}-event requests`,
      figure: ourRate,
      unit: 'events/s',
      note: `median of ${rounds} rounds of ${eventsPerRound.toLocaleString('en')}; CPU: product ${(ourCpu.product / ourCpu.seconds).toFixed(2)}, Postgres ${(ourCpu.postgres / ourCpu.seconds).toFixed(2)} cores`,
    },
    ...(best
      ? [
          {
            name: `append ÷ emmett-postgresql (batch ${best.batch})`,
            figure: ourRate / best.rate,
            unit: '×',
            target: { atLeast: 1.2 },
            note: `emmett ${Math.round(best.rate).toLocaleString('en')} events/s, one batch after the other`,
          },
        ]
      : [
          {
            name: 'append ÷ emmett-postgresql',
            figure: 0,
            unit: '×',
            note: 'not installed: npm ci --prefix bench/rivals',
          },
        ]),
    {
      name: 'append ÷ raw COPY',
      figure: ourRate / counted(copied),
      unit: '×',
      target: { atLeast: 0.8 },
      note: `COPY ${Math.round(counted(copied)).toLocaleString('en')} events/s with the writing of the JSON, as ours; ${Math.round(counted(copiedReady)).toLocaleString('en')} events/s of lines that lie ready: ours ÷ that ${(ourRate / counted(copiedReady)).toFixed(2)}`,
    },
  ]
}

async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return count / ((performance.now() - started) / 1000)
}

function* chunked(lines: readonly string[], size: number): Generator<string> {
  for (let at = 0; at < lines.length; at += size) yield lines.slice(at, at + size).join('')
}
