/**
 * Where an answer stands. A question names an instant (`asOf`, inclusive), a position (`asOfPosition`), a page
 * cursor (which carries the position of its first page), or nothing: then it stands where the read models are.
 * The instant must be passed and projected: the question waits for that up to two seconds.
 */
import type { Clock } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import { ProblemError } from '../../infra/http/problem.ts'
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import { readCheckpoint } from '../tables/checkpoint-row.ts'
import { loadParkedKeys } from '../tables/parked.ts'

export type Standing = { readonly position: bigint; readonly recordedAt: string | null }

export type QueryDeps = {
  readonly pool: Pool
  readonly store: EventStore
  readonly clock: Clock
  /** How long a question waits for its instant; default 2 s. */
  readonly waitMs?: number
}

export type AsOfQuestion = {
  readonly asOf?: string | undefined
  readonly asOfPosition?: string | undefined
  /** Position that a page cursor carries. */
  readonly cursorPosition?: bigint | undefined
}

const largestPosition = 2n ** 63n - 1n

/** The position that the question asks for; undefined: wherever the read models are. */
export async function resolveStanding(deps: QueryDeps, question: AsOfQuestion): Promise<bigint | undefined> {
  const { asOf, asOfPosition, cursorPosition } = question
  if (asOf !== undefined && asOfPosition !== undefined)
    throw badQuestion('asOf', 'either asOf or asOfPosition, not both', asOf)
  if (asOfPosition !== undefined) {
    const position = BigInt(asOfPosition)
    if (position > largestPosition)
      throw badQuestion('asOfPosition', 'a position of the store (64 bits)', asOfPosition)
    if (cursorPosition !== undefined && cursorPosition !== position) throw otherStanding(cursorPosition)
    await refuseFuturePosition(deps, position)
    return position
  }
  if (asOf === undefined) return cursorPosition
  const instantMs = Math.floor(Date.parse(asOf))
  if (instantMs > deps.clock.nowMs()) throw futureInstant(asOf)
  const instant = new Date(instantMs).toISOString()
  const { position } = await until(
    deps,
    async () => {
      const answer = await deps.store.positionAt(instant)
      return answer.passed ? answer : undefined
    },
    `the instant ${instant} is not passed yet`,
  )
  const standing = position ?? 0n
  if (cursorPosition !== undefined && cursorPosition !== standing) throw otherStanding(cursorPosition)
  return standing
}

/**
 * Runs `work` in one read-only snapshot of the read models that covers `position` (or is the present one), with
 * the position and its recording time. Waits until the position is projected; 503 when it takes too long.
 */
export async function atStanding<Result>(
  deps: QueryDeps,
  position: bigint | undefined,
  work: (client: PoolClient, standing: Standing) => Promise<Result>,
): Promise<Result> {
  const recordedAt = position === undefined ? undefined : await recordedAtOf(deps, position)
  return await until(
    deps,
    async () => {
      const client = await deps.pool.connect()
      let failure: Error | undefined
      try {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
        const at = await readCheckpoint(client)
        const reached = at.checkpoint?.position
        if (position === undefined)
          return { result: await work(client, { position: reached ?? 0n, recordedAt: at.recordedAt }) }
        if (recordedAt !== null && (reached === undefined || reached < position)) return undefined
        return { result: await work(client, { position, recordedAt: recordedAt ?? null }) }
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error))
        throw error
      } finally {
        await client.query('COMMIT').then(
          () => client.release(),
          () => client.release(failure ?? true),
        )
      }
    },
    `position ${position} is not projected yet`,
  ).then((answer) => answer.result)
}

/** 503 when one of the streams stopped at or before where the answer stands: it would be silently incomplete. */
export async function refuseParked(
  client: PoolClient,
  standing: Standing,
  streams: readonly string[],
): Promise<void> {
  const parked = (await loadParkedKeys(client, standing.position)).find((key) => streams.includes(key.stream))
  if (parked)
    throw new ProblemError({
      status: 503,
      code: 'projection-stopped',
      detail:
        `the read models of ${parked.stream} stopped at position ${parked.position} (${parked.type}): ${parked.message}. ` +
        'Nothing is lost; a rebuild after the cause is mended brings them up to date',
      rule: 'an answer is complete up to the position it names',
      state: `stopped at position ${parked.position}`,
    })
}

async function recordedAtOf(deps: QueryDeps, position: bigint): Promise<string | null> {
  return (await deps.store.recordedAtOf(position)) ?? null
}

/** A position beyond the read models is either in the store already, or in the future. */
async function refuseFuturePosition(deps: QueryDeps, position: bigint): Promise<void> {
  const reached = (await readCheckpoint(deps.pool)).checkpoint?.position
  if (reached !== undefined && position <= reached) return
  const head = await deps.store.head()
  if (position > (head?.position ?? 0n))
    throw new ProblemError({
      status: 422,
      code: 'future-position',
      detail: `position ${position} lies in the future: the last one is ${head?.position ?? 'none'}`,
      rule: 'asOfPosition is at most the last position of the store',
    })
}

const pollMs = 15

async function until<Answer>(
  deps: QueryDeps,
  ask: () => Promise<Answer | undefined>,
  finding: string,
): Promise<Answer> {
  const deadline = performance.now() + (deps.waitMs ?? 2_000)
  while (true) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() >= deadline)
      throw new ProblemError(
        {
          status: 503,
          code: 'not-yet-projected',
          detail: `${finding}; ask again in a second`,
          rule: 'an instant is answered once it is passed and projected',
        },
        { 'retry-after': '1' },
      )
    await new Promise((settle) => setTimeout(settle, pollMs))
  }
}

const badQuestion = (name: string, rule: string, value: string) =>
  new ProblemError({
    status: 400,
    code: 'invalid-request',
    detail: `query /${name} is ${JSON.stringify(value)}: ${rule}`,
    rule,
    errors: [{ in: 'query', pointer: `/${name}`, value, rule }],
  })

const futureInstant = (asOf: string) =>
  new ProblemError({
    status: 422,
    code: 'future-instant',
    detail: `asOf ${asOf} lies in the future: nobody knows yet what will be recorded by then`,
    rule: 'asOf is at most the present instant',
  })

const otherStanding = (position: bigint) =>
  new ProblemError({
    status: 400,
    code: 'invalid-request',
    detail: `the cursor belongs to an answer as of position ${position}: ask for its next page with the same asOf`,
    rule: 'a cursor continues the answer that gave it',
  })
