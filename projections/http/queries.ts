/** All queries of the product's read side. */
import type { HttpServer } from '../../infra/http/server.ts'
import { registerIngressRoutes } from './ingress-routes.ts'
import { type LiveDeps, registerLiveRoute } from './live-route.ts'
import { registerRecordRoutes } from './record-routes.ts'
import { registerSeriesRoutes } from './series-routes.ts'

/** Registers the routes; `deps.pool` comes from `openReadModels` and needs at least two connections. */
export function registerQueries(server: HttpServer, deps: LiveDeps): void {
  registerRecordRoutes(server, deps)
  registerIngressRoutes(server, deps)
  registerSeriesRoutes(server, deps)
  registerLiveRoute(server, deps)
}
