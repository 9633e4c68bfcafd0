/**
 * The model's card: what it is for, the space of its inputs, how well it does by phase, where its data came from and
 * where it fails; as JSON for the registry and as text for people.
 */
import { domainLimits } from '../../domain/forecast/domain-limits.ts'
import { featureSchema, featureSchemaHash } from '../../domain/forecast/feature-schema.ts'
import type { FaultFigures } from '../evaluate/fault-table.ts'
import type { Evaluation } from '../evaluate/summary.ts'
import { committedModel } from '../model/committed-model.ts'
import { judged, type Reached } from './criteria.ts'
import type { Parity } from './parity.ts'

type TrainingRecord = {
  readonly seed: number
  readonly rows: number
  readonly batches: readonly string[]
  readonly parameters: unknown
  readonly heldOutByFold: Readonly<
    Record<string, { readonly coverageUnseen: number; readonly batches: number }>
  >
  readonly importance: Readonly<
    Record<string, readonly { readonly feature: string; readonly meanAbsolute: number }[]>
  >
}

export type CardSources = {
  readonly modelHash: string
  readonly training: TrainingRecord
  readonly dataSet: {
    readonly batches: readonly {
      readonly readings: number
      readonly sha256: string
      /** `none` for a batch that was not simulated. */
      readonly noise: string
    }[]
  }
  readonly parity: Parity
  readonly realistic: Evaluation
  readonly kind: Evaluation
  readonly sealed: Evaluation
  /** Figures of the batches that set the width of the interval, with the width before. */
  readonly calibration: Evaluation
  readonly faults: readonly FaultFigures[]
  /** Of the middle head, by target. */
  readonly middleShare: Readonly<Record<string, number>>
  /** How often the sealed set was opened, this time included. */
  readonly sealedReads: number
  readonly reference: { readonly phases: Readonly<Record<string, { readonly rows: number }>> }
}

export type Card = ReturnType<typeof cardOf>

export function cardOf(sources: CardSources) {
  const {
    modelHash,
    training,
    dataSet,
    parity,
    realistic,
    kind,
    sealed,
    calibration,
    faults,
    middleShare,
    reference,
  } = sources
  const readings = dataSet.batches.reduce((sum, batch) => sum + batch.readings, 0)
  const gates = judged(realistic)
  const recorded = dataSet.batches.filter(({ noise }) => noise === 'none').length
  const simulated = dataSet.batches.length - recorded
  return {
    ...committedModel,
    modelHash,
    featureSchemaHash,
    use: 'od600-forecast',
    intendedUse:
      'Advice on OD600 of a Pichia pastoris (K. phaffii) glycerol batch on basal salts at 30 °C in a 1-L vessel: soft sensor now, forecasts for 30 s, 30 min, 1 h and 2 h, minutes to glycerol depletion. From 6 min after inoculation to 1.5 h after depletion.',
    autonomy: 'advisory only: no path leads from a forecast to a setpoint',
    notFor:
      'fed-batch, methanol induction, other carbon sources, strains or scales; release decisions; any use as a measured value',
    inputs: {
      limits: domainLimits,
      features: featureSchema.features.map(({ name, unit, group }) => ({ name, unit, group })),
      softSensor: 'uses no reading of the online OD probe',
    },
    phases: Object.fromEntries(
      ['lag', 'exponential', 'decelerating', 'stationary'].map((phase) => [
        phase,
        (reference.phases[phase]?.rows ?? 0) > 0
          ? `${reference.phases[phase]?.rows} training rows`
          : 'not evaluated',
      ]),
    ),
    interval:
      'p5 to p95 hold the true OD600 in 90 of 100 cases; an offline assay scatters by 3 % around it and lies outside more often. Lower bounds allow for 12 % of the glycerol missing.',
    criteria: Object.fromEntries(gates.map(({ name, gate }) => [name, gate])),
    gates,
    /** The same criteria in the other scenarios: shown, not decided on. */
    reachedBeside: { kind: reachedIn(kind), sealed: reachedIn(sealed) },
    metrics: { realistic, kind, sealed },
    sealedReads: sources.sealedReads,
    intervalWidth: {
      setOnBatches: calibration.batches,
      coverageBefore: Object.fromEntries(
        Object.entries(calibration.horizons).map(([horizon, { coverage90 }]) => [horizon, coverage90]),
      ),
    },
    middleShare,
    coverageOfUnseenBatches: Object.fromEntries(
      Object.entries(training.heldOutByFold).map(([target, { coverageUnseen, batches }]) => [
        target,
        { coverage: coverageUnseen, batches },
      ]),
    ),
    trainingData: `${simulated} simulated batches${recorded > 0 ? ` and ${recorded} recorded ones` : ''} (${readings} readings, ${training.rows} rows), realistic measurement scenario, vessels drawn 50 % N, 30 % R with oxygen, 20 % R; data-set.json lists each with the SHA-256 of its readings`,
    syntheticShare: { training: simulated / dataSet.batches.length, test: 1 },
    lineage: {
      training: training.batches,
      seed: training.seed,
      parameters: training.parameters,
      parity,
    },
    importance: training.importance,
    limitations: [
      `Judged on simulated batches only, trained on ${simulated} simulated and ${recorded} recorded ones: its equations are those of the simulator, so that real batches will be forecast worse than the figures say until it is judged on them.`,
      'A wrong amount of glycerol shows in no signal before it is used up: the middle of the time to depletion is then off by up to half an hour; the lower bounds allow for it. Among many batches the spread of the glycerol alone puts some beyond 20 min.',
      'Before agitation reaches its limit nothing tells whether a vessel has oxygen enrichment: forecasts that cross into limitation assume that it has.',
      'Temperature and pH are taken to stay as they are.',
      ...weakOf(faults).map(weakness),
      'Windows of one batch share the gains of its instruments: how much the 90 % interval covers is known to about 3 points for a hundred batches, and single campaigns of three batches scatter widely.',
      'The decelerating phase is rare in training and its figures rest on few rows.',
    ],
  }
}

/** The same in Markdown. */
export function cardText(card: Card): string {
  const { realistic, kind, sealed } = card.metrics
  const lines = [
    `# ${card.modelId} ${card.version}`,
    '',
    card.intendedUse,
    '',
    `Not for: ${card.notFor}. ${card.autonomy[0]?.toUpperCase()}${card.autonomy.slice(1)}.`,
    '',
    `Model hash \`${card.modelHash}\`, feature schema \`${card.featureSchemaHash}\`.`,
    '',
    `**Share of synthetic data: training ${(100 * card.syntheticShare.training).toFixed(0)} %, test ${(100 * card.syntheticShare.test).toFixed(0)} %.**`,
    '',
    '## Gates and goals',
    '',
    `Realistic scenario, ${realistic.batches} fresh batches, against the truth; beside it the kind scenario (${kind.batches} batches) and the sealed set (${sealed.batches} batches, opened ${times(card.sealedReads)} over all versions, the last time for this one).`,
    '',
    '| | gate | goal | reached | met | kind | sealed |',
    '|---|---|---|---|---|---|---|',
    ...gateLines(card.gates, judged(kind), judged(sealed)),
    '',
    '## By phase as seen at issue (2 h)',
    '',
    '| phase | mean relative error | coverage | forecasts |',
    '|---|---|---|---|',
    ...Object.entries(realistic.phases.PT2H).map(
      ([phase, figures]) =>
        `| ${phase} | ${percent(figures.mre)} | ${percent(figures.coverage90)} | ${figures.rows} |`,
    ),
    '',
    '## Interval',
    '',
    card.interval,
    '',
    `Of the middle head's residual is taken, by target, what served unseen batches best (0: filter and equations alone): ${Object.entries(
      card.middleShare,
    )
      .map(([target, share]) => `${target} ${share}`)
      .join(', ')}.`,
    '',
    'Coverage on batches that neither heads nor calibration had seen (five folds, before the interval was stretched for it): ' +
      Object.entries(card.coverageOfUnseenBatches)
        .map(([target, { coverage, batches }]) => `${target} ${percent(coverage)} of ${batches} batches`)
        .join(', ') +
      '.',
    '',
    `The width was then set on ${card.intervalWidth.setOnBatches} further batches, by horizon and phase; those neither trained nor judge.`,
    '',
    '## Data',
    '',
    `${card.trainingData}.`,
    '',
    `Node and LightGBM agree within ${card.lineage.parity.largestDifference.toExponential(1)} on ${card.lineage.parity.rows} rows of ${card.lineage.parity.heads} heads.`,
    '',
    '## Limitations',
    '',
    ...card.limitations.map((limitation) => `- ${limitation}`),
    '',
  ]
  return lines.join('\n')
}

function gateLines(
  gates: readonly Reached[],
  kind: readonly Reached[],
  sealed: readonly Reached[],
): string[] {
  return gates.map((gate, index) => {
    const sign = gate.better === 'lower' ? '≤' : '≥'
    const shown = (value: number | null | undefined): string => shownValue(gate, value)
    return `| ${gate.label} | ${sign} ${shown(gate.gate)} | ${gate.goal === undefined ? '' : `${sign} ${shown(gate.goal)}`} | ${shown(gate.reached)} | ${gate.met ? 'yes' : '**no**'} | ${shown(kind[index]?.reached)} | ${shown(sealed[index]?.reached)} |`
  })
}

function shownValue({ unit }: Reached, value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  return unit === '%' ? percent(value) : unit === 'min' ? `${value.toFixed(1)} min` : value.toFixed(2)
}

const reachedIn = (figures: Evaluation): Readonly<Record<string, number | null>> =>
  Object.fromEntries(judged(figures).map(({ name, reached }) => [name, reached]))

/** Issued in most windows all the same, and clearly farther off, or less often inside its interval, than the same batches without a fault. */
function weakOf(faults: readonly FaultFigures[]): readonly FaultFigures[] {
  const none = faults.find(({ fault }) => fault === 'none')
  return faults.filter(
    ({ withheldShare, mre30m, coverage30m, coverage2h }) =>
      withheldShare < 0.5 &&
      ((mre30m ?? 0) > Math.max(0.025, 1.5 * (none?.mre30m ?? 0)) ||
        (coverage30m ?? 1) < (none?.coverage30m ?? 1) - 0.1 ||
        (coverage2h ?? 1) < (none?.coverage2h ?? 1) - 0.1),
  )
}
const weakness = (one: FaultFigures): string =>
  `Fault table, ${one.fault}: ${percent(one.withheldShare)} of the windows are withheld; forecasts 30 min ahead are ${percent(one.mre30m)} off in the mean, the interval holds ${percent(one.coverage30m)} of them (2 h: ${percent(one.coverage2h)}).`

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)

const percent = (value: number | null): string => (value === null ? '–' : `${(100 * value).toFixed(2)} %`)
