/**
 * The log over HTTP, below `/api/v1/ledger`: checkpoint, tiles and entry bundles under the paths of C2SP tlog-tiles, so
 * that other people's tools read it; proofs and keys as JSON; and one event's proof as tlog-proof. Only what a published
 * checkpoint covers is ever given out.
 */
import type { HttpServer } from '../../infra/http/server.ts'
import type { LogReader } from '../storage/log-reader.ts'
import { type KeyRoutesDeps, registerKeyRoutes } from './key-routes.ts'
import { registerProofRoutes } from './proof-routes.ts'
import { registerTileRoutes } from './tile-routes.ts'

export type LedgerRoutesDeps = KeyRoutesDeps & { readonly reader: LogReader }

export function registerLedger(server: HttpServer, deps: LedgerRoutesDeps): void {
  registerTileRoutes(server, deps.reader)
  registerProofRoutes(server, deps.reader)
  registerKeyRoutes(server, deps)
}
