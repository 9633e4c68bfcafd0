/**
 * Watches models in use. Follows the scores of all workers in the store; where coverage or error of the active model turn
 * red for data of an origin, the model is suspended for that origin and an alarm is raised, once. Scores count from
 * the model's last approval or activation on. Drift of the inputs raises alarms (`drift-watch.ts`).
 */
import { decideOnModel } from '../../domain/models/decide.ts'
import { type GovernedModel, governanceTypes, modelInForce } from '../../domain/models/governance.ts'
import {
  judgeLivePerformance,
  type LiveScore,
  monitoringRules,
} from '../../domain/models/live-performance.ts'
import { toInstant } from '../../infra/clock.ts'
import { untilItWorks } from '../../infra/until-it-works.ts'
import type { Origin, RecordedEvent } from '../../schemas/event.ts'
import type { Horizon } from '../../schemas/events/forecast-events.ts'
import { upcast } from '../../schemas/events/registry.ts'
import { forecastUse } from '../decide-forecasts.ts'
import { inferenceActor } from '../events.ts'
import { appendModelAlarm, appendModelEvent, type GovernanceDeps } from '../governance/append-model-event.ts'
import { governanceHistory } from '../governance/history.ts'
import type { InferenceFigures } from '../metrics.ts'

export type MonitorDeps = GovernanceDeps & {
  readonly signal: AbortSignal
  readonly figures: Pick<InferenceFigures, 'suspensions' | 'alarms'>
}

export type ModelMonitor = { stop(): Promise<void> }

type ScoredData = {
  readonly modelHash: string
  readonly scores: readonly {
    readonly horizon: Horizon
    readonly relativeError: number
    readonly covered: boolean
    readonly coveredWithAssayError?: boolean
  }[]
}

const origins: readonly Origin[] = ['live', 'simulated', 'replayed']
/** Five horizons, and a margin. */
const scoresKept = 8 * monitoringRules.newest

/** Follows until `signal` aborts. */
export function monitorModels(deps: MonitorDeps): ModelMonitor {
  const { store, log, signal } = deps
  const history = governanceHistory()
  const scores = new Map<string, LiveScore[]>()
  const keyOf = (modelHash: string, origin: Origin): string => `${modelHash} ${origin}`

  function apply(event: RecordedEvent): void {
    if (event.type !== 'ForecastScored') {
      history.apply(event)
      if (event.type === 'ModelApproved' || event.type === 'ModelActivated')
        for (const origin of origins) scores.delete(keyOf(String(event.data.modelHash), origin))
      return
    }
    const data = upcast(event).data as unknown as ScoredData
    const key = keyOf(data.modelHash, event.origin)
    const own = scores.get(key) ?? []
    for (const { horizon, relativeError, covered, coveredWithAssayError } of data.scores)
      own.push({ horizon, relativeError, isCovered: coveredWithAssayError ?? covered })
    if (own.length > scoresKept) own.splice(0, own.length - scoresKept)
    scores.set(key, own)
  }

  async function judge(): Promise<void> {
    for (const origin of origins) {
      const inForce = modelInForce(history.now(), forecastUse, origin)
      if (inForce.kind !== 'approved') continue
      const judgements = judgeLivePerformance(scores.get(keyOf(inForce.model.modelHash, origin)) ?? [])
      const red = judgements.filter(({ colour }) => colour === 'red').flatMap(({ findings }) => findings)
      const [first] = red
      if (first)
        await suspend(inForce.model, origin, first.rule, red.map(({ finding }) => finding).join('; '))
    }
  }

  async function suspend(model: GovernedModel, origin: Origin, rule: string, finding: string): Promise<void> {
    const wasSuspended = await appendModelEvent(deps, model.modelId, (state) => {
      const inForce = modelInForce(state, forecastUse, origin)
      if (inForce.kind !== 'approved' || inForce.model.modelHash !== model.modelHash) return undefined
      const decision = decideOnModel(
        state,
        model,
        { kind: 'suspend', request: { rule, finding, origins: [origin] } },
        { actor: inferenceActor, at: toInstant(deps.clock.nowMs()) },
      )
      return decision?.kind === 'accepted' ? decision.fact : undefined
    })
    if (!wasSuspended) return
    deps.figures.suspensions++
    const message = `model ${model.modelId} ${model.version} was suspended for ${origin} data: ${finding}`
    log.error(
      { modelId: model.modelId, version: model.version, origin, rule, finding },
      'the model is suspended',
    )
    await appendModelAlarm(deps, { level: 'critical', name: 'model_suspended', message })
    deps.figures.alarms++
  }

  let isDue = false
  const following = (async () => {
    for await (const page of store.subscribe({
      filter: { types: ['ForecastScored', ...governanceTypes], categories: ['forecast', 'model'] },
      signal,
    })) {
      for (const event of page.events) apply(event)
      isDue ||= page.events.length > 0
      // What stood red in between counts no more: only the newest scores and the model in force now do.
      if (!isDue || !page.caughtUp) continue
      await untilItWorks({ what: 'judge the models', log, signal }, judge)
      isDue = false
    }
  })().catch((error: unknown) => {
    if (!signal.aborted) log.error({ err: error }, 'the monitoring of models ended')
  })

  return {
    stop: async () => {
      await following
    },
  }
}
