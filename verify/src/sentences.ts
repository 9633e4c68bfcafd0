/**
 * What happened, in the words of the record: one sentence an event type, for the report and the verifier's page. Writer
 * and verifier share them, and `python/verify.py` has them once more, so that a report can be compared to the letter.
 */
import { canonical, isObject, type Json, type JsonObject } from './canonical.ts'

/** An event as far as readers are told of it. */
export type Told = {
  readonly type: string
  readonly stream: string
  readonly revision: number
  /** Its position in the log. */
  readonly index: number
  readonly occurredAt: string
  readonly recordedAt: string
  readonly origin: string
  /** Pseudonymous id of the actor. */
  readonly who: string
  /** Undefined where the payload is left out. */
  readonly data: JsonObject | undefined
  readonly reason: JsonObject | undefined
}

type Sentence = (data: JsonObject, who: string, reason: JsonObject | undefined) => string

/** A text as it is, anything else in its canonical spelling. */
export const textOf = (value: Json | undefined): string =>
  typeof value === 'string' ? value : canonical(value ?? null)
const text = textOf
/** NaN for what is no number. */
const numberOf = (value: Json | undefined): number => (typeof value === 'number' ? value : Number.NaN)
const list = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as Json[]).filter(isObject) : []

const sentences: Readonly<Record<string, Sentence>> = {
  BatchCreated: (d, who) =>
    `${who} created batch ${text(d.number)}${numberOf(d.attempt) > 1 ? ` (attempt ${text(d.attempt)})` : ''} of campaign ${text(d.campaign)}, phase ${text(d.phase)}, on vessel ${text(d.vessel)}`,
  BatchInoculated: (d, who) =>
    `${who} inoculated the batch (T = 0)${d.inoculumOd600 ? `, inoculum OD600 ${text(d.inoculumOd600)}` : ''}`,
  SampleTaken: (d, who) =>
    `${who} recorded sample ${text(d.sampleNumber)} at ${text(d.timepointHours)} h: OD600 ${text(d.od600)} (${text(d.od600Raw)} × ${text(d.dilutionFactor)})${d.contaminationDetected === true ? ', CONTAMINATION seen' : ''}`,
  BatchClosed: (d, who) =>
    `${who} closed the batch as complete after ${text(d.totalRuntimeHours)} h, final OD600 ${text(d.finalOd600)}, approved by ${text(d.approvedBy)}`,
  BatchAborted: (d, who, reason) =>
    `${who} aborted the batch (${text(d.outcome)})${reason ? `: ${text(reason.text)}` : ''}`,
  SensorReadingRecorded: (d) =>
    `${text(d.tag)} of ${text(d.vessel)} read ${text(d.value)} ${text(d.unit)} (${text(d.quality)})`,
  ReadingQuarantined: (d) =>
    `a message on ${text(d.topic)} was quarantined: ${text(d.rule)} (${text(d.reason)})`,
  SensorGapDetected: (d) => `${text(d.tag)} of ${text(d.vessel)} fell silent after ${text(d.lastReadingAt)}`,
  SensorGapClosed: (d) =>
    `${text(d.tag)} of ${text(d.vessel)} came back: ${text(d.missing)} readings missing from ${text(d.from)} to ${text(d.to)}`,
  SourceClockStepped: (d) => `the clock behind ${text(d.topic)} stepped by ${text(d.stepSeconds)} s`,
  AlarmRaised: (d) => `${text(d.level)} alarm ${text(d.name)}: ${text(d.message)}`,
  IngressStated: (d) =>
    `${list(d.sources).reduce((sum, source) => sum + numberOf(source.received), 0)} readings had arrived from ${list(d.sources).length} sources`,
  StreamSealed: (d) => `the stream was sealed after ${text(d.count)} events`,
  ProcessWindowDerived: (d) =>
    `process values of ${text(d.vessel)} were derived for the 30 s up to ${isObject(d.window) ? text(d.window.to) : ''}`,
  OdForecastIssued: (d) => {
    const half = list(d.horizons).find((one) => one.horizon === 'PT30M') ?? list(d.horizons)[0] ?? {}
    const [p5, p50, p95] = [half.p5, half.p50, half.p95].map((value) => numberOf(value).toFixed(2))
    return `${text(d.modelId)} ${text(d.modelVersion)} forecast OD600 ${p50} (90 % interval ${p5} to ${p95}) ${text(half.horizon).slice(2).toLowerCase()} ahead for ${text(d.vessel)}`
  },
  ForecastWithheld: (d) =>
    `${text(d.modelId)} ${text(d.modelVersion)} withheld its forecast for ${text(d.vessel)}: ${text(d.detail)} (${text(d.reason)})`,
  ForecastScored: (d) => {
    const half = list(d.scores).find((one) => one.horizon === 'PT30M') ?? list(d.scores)[0] ?? {}
    return `offline OD600 ${text(d.measured)} met the forecast ${numberOf(half.p50).toFixed(2)} of ${text(half.issuedAt)} (${text(half.horizon)}): ${(100 * numberOf(half.relativeError)).toFixed(1)} % off`
  },
}

/** One sentence without the time and without a final dot. */
export function sentenceOf(type: string, data: JsonObject, who: string, reason?: JsonObject): string {
  const sentence = sentences[type]
  return sentence ? sentence(data, who, reason) : `${who}: ${type}`
}
