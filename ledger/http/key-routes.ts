/**
 * `ledger/keys`: with which keys the log was and is signed, from which size to which; and `ledger/keys/revocations`, by
 * which a person says that a key is not to be trusted from a size on. The sequencer then signs nothing more with it.
 */
import { z } from 'zod'
import { type Clock, toInstant } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import { ProblemError } from '../../infra/http/problem.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import type { ClientEvent } from '../../schemas/event.ts'
import { keyPurpose } from '../../schemas/events/ledger-events.ts'
import { derivedId } from '../../schemas/ids.ts'
import { streams } from '../../schemas/streams.ts'
import { type KeyRecord, keyHistory, readKeyEvents } from '../keys/key-history.ts'

export type KeyRoutesDeps = { readonly store: EventStore; readonly clock: Clock; readonly site: string }

const item = z.object({
  /** Verifier key in signed-note form. */
  vkey: z.string(),
  /** Log sizes, first and last; `to` is null while the key holds. */
  from: z.string(),
  to: z.string().nullable(),
  /** First size at which a revoked key is not to be trusted. */
  revokedFrom: z.string().nullable(),
  purpose: keyPurpose,
})

const revocation = z.strictObject({
  vkey: z.string().min(1).max(500),
  firstBadSize: z.string().regex(/^(0|[1-9]\d{0,18})$/, 'a log size in decimal digits'),
  finding: z.string().min(10).max(2000),
})

export function registerKeyRoutes(server: HttpServer, { store, clock, site }: KeyRoutesDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/ledger/keys',
    config: { access: 'read' },
    schema: {
      summary: 'Verifier keys of the log, newest first; or of extracts, with `purpose=export`',
      querystring: z.object({ purpose: keyPurpose.default('log') }),
      response: { 200: z.object({ items: z.array(item), next: z.null() }), ...problemResponses },
    },
    handler: async (request) => {
      const keys = keyHistory(await readKeyEvents(store)).filter(
        (key) => key.purpose === request.query.purpose,
      )
      return { items: keys.reverse().map(described), next: null }
    },
  })

  server.route({
    method: 'POST',
    url: '/api/v1/ledger/keys/revocations',
    config: { access: 'write' },
    schema: {
      summary: 'Say that a key of the ledger is not to be trusted from a log size on',
      headers: z.object({ 'idempotency-key': z.string().min(1).max(200) }),
      body: revocation,
      response: {
        201: z.object({
          eventId: z.string(),
          revision: z.string(),
          position: z.string(),
          recordedAt: z.string(),
        }),
        ...problemResponses,
      },
    },
    handler: async (request, reply) => {
      const { caller } = request
      if (caller.kind === 'anonymous') throw new Error('a route with access policy write has a caller')
      const { vkey, firstBadSize, finding } = request.body
      const known = keyHistory(await readKeyEvents(store)).find((key) => key.verifierKey === vkey)
      if (!known)
        throw new ProblemError({
          status: 422,
          code: 'unknown-key',
          detail: `${vkey} was never a key of this ledger`,
          rule: 'a verifier key that ledger/keys lists',
          errors: [
            { in: 'body', pointer: '/vkey', value: vkey, rule: 'a verifier key that ledger/keys lists' },
          ],
        })
      const nowMs = clock.nowMs()
      const now = toInstant(nowMs)
      const event: ClientEvent = {
        // The same request sent again is the same event; a changed one collides with it.
        id: derivedId(0, 'ledger-key-revocation/v1', caller.actor.id, request.headers['idempotency-key']),
        type: 'LedgerKeyRevoked',
        schemaVersion: 1,
        occurredAt: now,
        receivedAt: now,
        actor: caller.actor,
        origin: 'live',
        site,
        data: { verifierKey: vkey, purpose: known.purpose, firstBadSize, finding },
      }
      return reply.status(201).send(await recorded(store, event))
    },
  })
}

async function recorded(store: EventStore, event: ClientEvent) {
  const before = await store.readById(event.id)
  const asked = { ...event, ...(before && { occurredAt: before.occurredAt }) }
  const [outcome] = await store.append([
    { stream: streams.ledgerKeys, expectedRevision: 'any', events: [asked] },
  ])
  if (outcome?.kind === 'appended' || outcome?.kind === 'duplicate') {
    const [at] = outcome.recorded
    if (at)
      return {
        eventId: at.id,
        revision: String(at.revision),
        position: String(at.position),
        recordedAt: at.recordedAt,
      }
  }
  throw new ProblemError({
    status: 422,
    code: 'idempotency-key-reused',
    detail: 'this idempotency key was used for another revocation',
    rule: 'one idempotency key for one request',
  })
}

const described = (key: KeyRecord): z.infer<typeof item> => ({
  vkey: key.verifierKey,
  from: String(key.from),
  to: key.to === undefined ? null : String(key.to),
  revokedFrom: key.revokedFrom === undefined ? null : String(key.revokedFrom),
  purpose: key.purpose,
})
