/**
 * From windows to forecast events. For each window: the model in force where it closed (store order) decides whether
 * there may be a forecast, then what was judged of the input, then the model itself. Windows of one call are
 * predicted together; how they are grouped changes nothing of the result.
 */

import type { ForecastInput, Quantiles } from '../domain/forecast/outcome.ts'
import { type Governance, type ModelInForce, modelInForce } from '../domain/models/governance.ts'
import type { ClientEvent } from '../schemas/event.ts'
import type { WindowStep } from './batch-run.ts'
import { type Basis, forecastEvent, noModel, type Withheld } from './events.ts'
import { type ForecastModel, type ModelsAtHand, noRuntime } from './forecast-model.ts'

export const forecastUse = 'od600-forecast'

export type ForecastDeps = {
  readonly models: ModelsAtHand
  /** The state after all model events below `position`. */
  readonly governanceBefore: (position: bigint) => Governance
  /** Rows a call of the model at most: one call must not hold up the others for long. */
  readonly rowsPerPrediction?: number
  /** Seconds spent in the model for so many rows. */
  readonly onPredicted?: (rows: number, seconds: number) => void
}

type Due = {
  readonly step: WindowStep
  readonly input: ForecastInput
  readonly model: ForecastModel
  readonly basis: Basis
}

/** The event of each window that one belongs to. */
export async function decideForecasts(
  deps: ForecastDeps,
  steps: readonly WindowStep[],
): Promise<ReadonlyMap<WindowStep, ClientEvent>> {
  const events = new Map<WindowStep, ClientEvent>()
  const due = new Map<ForecastModel, Due[]>()
  for (const step of steps) {
    const { input } = step
    if (!input) continue
    const verdict = verdictOn(deps, step, input)
    if (verdict.kind === 'predict') {
      const waiting = due.get(verdict.due.model)
      if (waiting) waiting.push(verdict.due)
      else due.set(verdict.due.model, [verdict.due])
    } else if (verdict.kind === 'withhold')
      events.set(step, forecastEvent(step, input, verdict.basis, verdict.withheld))
  }
  const rows = deps.rowsPerPrediction ?? 64
  for (const [model, all] of due)
    for (let from = 0; from < all.length; from += rows)
      for (const [step, event] of await predicted(deps, model, all.slice(from, from + rows)))
        events.set(step, event)
  return events
}

type Verdict =
  | { readonly kind: 'none' }
  | { readonly kind: 'predict'; readonly due: Due }
  | { readonly kind: 'withhold'; readonly basis: Basis; readonly withheld: Withheld }

function verdictOn(deps: ForecastDeps, step: WindowStep, input: ForecastInput): Verdict {
  const inForce = modelInForce(deps.governanceBefore(step.closing.position), forecastUse, step.window.origin)
  if (inForce.kind === 'never-registered') return { kind: 'none' }
  const model = inForce.model && deps.models.find(inForce.model.modelHash)
  const basis = basisOf(inForce, model)
  if (inForce.kind === 'withheld')
    return {
      kind: 'withhold',
      basis,
      withheld: { kind: 'withheld', reason: inForce.reason, detail: inForce.detail, inDomainScore: null },
    }
  if (!model) return { kind: 'withhold', basis, withheld: filesDiffer(`${basis.modelId} ${basis.version}`) }
  if (input.withhold)
    return {
      kind: 'withhold',
      basis,
      withheld: { kind: 'withheld', ...input.withhold, inDomainScore: input.inDomainScore },
    }
  return { kind: 'predict', due: { step, input, model, basis } }
}

export const filesDiffer = (model: string): Withheld => ({
  kind: 'withheld',
  reason: 'hash-mismatch',
  detail: `the files of model ${model} here are not the registered ones`,
  inDomainScore: null,
})

const noNumber = {
  kind: 'withheld',
  reason: 'outside-trained-range',
  detail: 'the model gave no finite number for this input',
} as const

const isFiniteForecast = ({ p5, p50, p95 }: Quantiles): boolean =>
  Number.isFinite(p5) && Number.isFinite(p50) && Number.isFinite(p95)

function basisOf(
  inForce: Exclude<ModelInForce, { kind: 'never-registered' }>,
  model: ForecastModel | undefined,
): Basis {
  if (!inForce.model) return noModel
  const { modelId, version, modelHash, featureSchemaHash } = inForce.model
  return { modelId, version, modelHash, featureSchemaHash, runtime: model?.runtime ?? noRuntime }
}

async function predicted(
  deps: ForecastDeps,
  model: ForecastModel,
  all: readonly Due[],
): Promise<readonly (readonly [WindowStep, ClientEvent])[]> {
  const began = performance.now()
  const outputs = await model.predict(all.map(({ input }) => input))
  const events = all.map(({ step, input, basis }, index) => {
    const output = outputs[index]
    if (!output) throw new Error(`model ${model.modelId} gave ${outputs.length} rows for ${all.length}`)
    const outcome = model.compose(input, output)
    const isUsable = outcome.kind === 'issued' && outcome.horizons.every(isFiniteForecast)
    const { inDomainScore } = input
    const said = isUsable
      ? outcome
      : outcome.kind === 'withheld'
        ? { ...outcome, inDomainScore }
        : { ...noNumber, inDomainScore }
    return [step, forecastEvent(step, input, basis, said)] as const
  })
  deps.onPredicted?.(all.length, (performance.now() - began) / 1000)
  return events
}
