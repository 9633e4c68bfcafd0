/** `ledger/keys`: with which keys the log was and is signed, from which size to which. */
import { z } from 'zod'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { keyPurpose } from '../../schemas/events/ledger-events.ts'
import { type KeyRecord, keyHistory, readKeyEvents } from '../keys/key-history.ts'

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

export function registerKeyRoutes(server: HttpServer, store: EventStore): void {
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
}

const described = (key: KeyRecord): z.infer<typeof item> => ({
  vkey: key.verifierKey,
  from: String(key.from),
  to: key.to === undefined ? null : String(key.to),
  revokedFrom: key.revokedFrom === undefined ? null : String(key.revokedFrom),
  purpose: key.purpose,
})
