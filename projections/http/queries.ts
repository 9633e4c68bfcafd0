/** All queries of the product's read side. */
import type { HttpServer } from '../../infra/http/server.ts'
import { registerBatchRoutes } from './batch-routes.ts'
import { registerCleanedRoutes } from './cleaned-routes.ts'
import { registerDerivedRoutes } from './derived-routes.ts'
import { registerForecastRoutes } from './forecast-routes.ts'
import { registerIngressRoutes } from './ingress-routes.ts'
import { type LiveDeps, registerLiveRoute } from './live-route.ts'
import { type ModelRouteDeps, registerModelRoutes } from './model-routes.ts'
import { registerQuarantineRoutes } from './quarantine-routes.ts'
import { registerRecordRoutes } from './record-routes.ts'
import { registerSampleRoutes } from './sample-routes.ts'
import { registerSeriesRoutes } from './series-routes.ts'

/** Registers the routes; `deps.pool` comes from `openReadModels` and needs at least two connections. */
export function registerQueries(server: HttpServer, deps: LiveDeps & ModelRouteDeps): void {
  registerBatchRoutes(server, deps)
  registerRecordRoutes(server, deps)
  registerQuarantineRoutes(server, deps)
  registerIngressRoutes(server, deps)
  registerSeriesRoutes(server, deps)
  registerCleanedRoutes(server, deps)
  registerForecastRoutes(server, deps)
  registerDerivedRoutes(server, deps)
  registerModelRoutes(server, deps)
  registerSampleRoutes(server, deps)
  registerLiveRoute(server, deps)
}
