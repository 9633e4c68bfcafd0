/** Events as they should be against events as they are recorded, stream by stream, byte by byte. */
import { canonicalJson } from '../schemas/canonical-json.ts'
import { type ClientEvent, clientPart, type RecordedEvent } from '../schemas/event.ts'
import type { ModelsAtHand } from './forecast-model.ts'
import type { RecordedCursor } from './recorded-cursor.ts'

export type Difference = {
  readonly stream: string
  /** Of the recorded event; null where there is none. */
  readonly revision: string | null
  /** End of the window, or time of the sample. */
  readonly window: string
  readonly kind: 'different' | 'missing' | 'unexpected'
  readonly detail: string
}

export type Findings = {
  /** The batch was closed or aborted. */
  readonly ended: boolean
  readonly windows: number
  readonly forecasts: number
  readonly scores: number
  readonly compared: number
  readonly equal: number
  /** Recomputed, but not written yet: the batch is running, or its service is catching up. */
  readonly pending: number
  /** Issued by models whose files are not here; nothing is said about them. */
  readonly notRecomputable: { readonly count: number; readonly models: readonly string[] }
  /** The first 100. */
  readonly differences: readonly Difference[]
  readonly differenceCount: number
}

const differencesTold = 100

export type Key = 'derived' | 'forecast'

export type Comparison = {
  compare(key: Key, expected: ClientEvent, adapted?: (recorded: ClientEvent) => ClientEvent): Promise<void>
  /** Events expected in that stream so far. */
  expected(key: Key): number
  finish(): Promise<void>
  report(): Findings
}

export function comparing(cursors: Readonly<Record<Key, RecordedCursor>>, models: ModelsAtHand): Comparison {
  const counts = { windows: 0, forecasts: 0, scores: 0, compared: 0, equal: 0, pending: 0 }
  const expectedCount = { derived: 0, forecast: 0 }
  const differences: Difference[] = []
  const absentModels = new Set<string>()
  let notRecomputable = 0
  let differenceCount = 0
  let hasSeal = false
  const differ = (difference: Difference): void => {
    differenceCount++
    if (differences.length < differencesTold) differences.push(difference)
  }
  const unwritten: { readonly key: Key; readonly event: ClientEvent }[] = []
  const unexpected = (extra: RecordedEvent): void =>
    differ({
      stream: extra.stream,
      revision: String(extra.revision),
      window: extra.occurredAt,
      kind: 'unexpected',
      detail: `${extra.type} does not follow from the batch's events`,
    })
  const lacking = (key: Key, event: ClientEvent): void =>
    differ({
      stream: cursors[key].stream,
      revision: null,
      window: event.occurredAt,
      kind: 'missing',
      detail: `${event.type} was not recorded`,
    })

  const count = ({ type }: ClientEvent): void => {
    if (type === 'ProcessWindowDerived') counts.windows++
    else if (type === 'ForecastScored') counts.scores++
    else if (type === 'StreamSealed') hasSeal = true
    else counts.forecasts++
  }

  return {
    expected: (key) => expectedCount[key],
    async compare(key, expected, adapted) {
      count(expected)
      expectedCount[key]++
      const sought = await cursors[key].seek(expected.id)
      if (sought === 'at-end') {
        counts.pending++
        unwritten.push({ key, event: expected })
        if (unwritten.length > differencesTold) unwritten.shift()
        return
      }
      if (sought === 'not-found') {
        lacking(key, expected)
        return
      }
      sought.skipped.forEach(unexpected)
      const recorded = sought.found
      const { modelId, modelVersion, modelHash } = recorded.data
      const isOfAbsentModel = modelHash === expected.data.modelHash && !models.find(String(modelHash))
      if (recorded.type === 'OdForecastIssued' && isOfAbsentModel) {
        absentModels.add(`${modelId} ${modelVersion} (${modelHash})`)
        notRecomputable++
        return
      }
      counts.compared++
      const said = clientPart(recorded)
      const wanted = canonicalJson(clientPart(adapted ? adapted(said) : expected))
      if (canonicalJson(said) === wanted) {
        counts.equal++
        return
      }
      differ({
        stream: recorded.stream,
        revision: String(recorded.revision),
        window: recorded.occurredAt,
        kind: 'different',
        detail: firstDifference(JSON.parse(wanted), said),
      })
    },
    async finish() {
      for (const key of ['derived', 'forecast'] as const)
        for await (const extra of cursors[key].rest()) unexpected(extra)
      // A sealed stream takes no more: what it lacks is lost.
      for (const { key, event } of unwritten) if (cursors[key].isSealed()) lacking(key, event)
    },
    report: () => ({
      ended: hasSeal,
      ...counts,
      notRecomputable: { count: notRecomputable, models: [...absentModels] },
      differences,
      differenceCount,
    }),
  }
}

/** The first field, in the order of its path, that is not the same. */
function firstDifference(expected: unknown, recorded: unknown, path = ''): string {
  if (isObject(expected) && isObject(recorded)) {
    if (expected.type !== recorded.type && path === '')
      return `/type: recorded ${recorded.type}, recomputed ${expected.type}`
    for (const key of [...new Set([...Object.keys(expected), ...Object.keys(recorded)])].toSorted()) {
      const [left, right] = [expected[key], recorded[key]]
      if (JSON.stringify(left) !== JSON.stringify(right))
        return firstDifference(left, right, `${path}/${key}`)
    }
    return `${path}: the order of its fields`
  }
  return `${path}: recorded ${JSON.stringify(recorded) ?? 'nothing'}, recomputed ${JSON.stringify(expected) ?? 'nothing'}`
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
