/** From the store: when the forecast of each expected window became durable, and what it said. */
import { setTimeout as delay } from 'node:timers/promises'
import type { EventStore } from '../infra/event-store/event-store.ts'

export type ExpectedForecast = {
  readonly vessel: string
  readonly windowEndMs: number
  /** Source time of the message that closes the window. */
  readonly closedMs: number
}

export type ForecastTimes = {
  /** From `closedMs` to the store's clock, ms. */
  readonly latencies: readonly number[]
  readonly issued: number
  /** Withheld forecasts by reason. */
  readonly withheld: ReadonlyMap<string, number>
  readonly lost: number
}

/** What is not there in time counts as lost. */
export async function forecastTimes(
  store: EventStore,
  after: bigint | undefined,
  expected: readonly ExpectedForecast[],
  waitMs: number,
): Promise<ForecastTimes> {
  const due = new Map(expected.map((one) => [`${one.vessel} ${one.windowEndMs}`, one.closedMs]))
  const latencies: number[] = []
  const withheld = new Map<string, number>()
  let issued = 0
  let from = after
  const deadline = performance.now() + waitMs
  for (;;) {
    for await (const page of store.readAll({
      ...(from === undefined ? {} : { after: from }),
      filter: { types: ['OdForecastIssued', 'ForecastWithheld'], categories: ['forecast'] },
    })) {
      from = page.through
      for (const { type, data, occurredAt, recordedAt } of page.events) {
        const key = `${String(data.vessel)} ${Date.parse(occurredAt)}`
        const closedMs = due.get(key)
        if (closedMs === undefined) continue
        due.delete(key)
        latencies.push(Date.parse(recordedAt) - closedMs)
        if (type === 'OdForecastIssued') issued++
        else withheld.set(String(data.reason), (withheld.get(String(data.reason)) ?? 0) + 1)
      }
    }
    if (due.size === 0 || performance.now() > deadline) return { latencies, issued, withheld, lost: due.size }
    await delay(200)
  }
}
