/**
 * When an instant is *passed*: once an event recorded after it has been seen, because record times never step back.
 * On a quiet store nothing newer comes by itself, so a tick is appended, on demand only and at most one in 250 ms.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { Connection } from './connection.ts'
import { unavailable } from './errors.ts'
import type { Follower } from './follower.ts'
import { tickStream } from './own-streams.ts'

const ticksApartMs = 250
/** An instant this far ahead of our clock will not be passed by a tick, whatever the server's clock says. */
const clocksApartMs = 60_000

/** `hasPassed(at)` appends a tick when that may answer the question. */
export function passingOfTime(deps: {
  readonly connection: Connection
  readonly follower: Follower
  readonly clock: Clock
  readonly indexTimeoutMs: number
}): { hasPassed(atMs: number): Promise<boolean> } {
  let ticking: Promise<void> | undefined
  let lastTickAt = Number.NEGATIVE_INFINITY

  async function tick(): Promise<void> {
    const wait = lastTickAt + ticksApartMs - performance.now()
    if (wait > 0) await new Promise((settle) => setTimeout(settle, wait))
    lastTickAt = performance.now()
    const event = {
      id: randomUUID(),
      type: 'TimePassed',
      contentType: 'application/json',
      data: {},
      metadata: undefined,
    } as const
    try {
      // A tick stored twice is only one more tick: the stream needs no revision.
      const { position } = await deps.connection.append(tickStream, [event], 'any')
      await deps.follower.reach(position, deps.indexTimeoutMs)
    } catch (error) {
      throw unavailable('append of a tick', error)
    }
  }

  return {
    async hasPassed(atMs) {
      const passed = () => deps.follower.recordedThroughMs() > atMs
      for (let round = 0; round < 2 && !passed() && atMs < deps.clock.nowMs() + clocksApartMs; round++) {
        ticking ??= tick().finally(() => {
          ticking = undefined
        })
        await ticking
      }
      return passed()
    },
  }
}
