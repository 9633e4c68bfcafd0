/**
 * The features of a forecast: names, units and order. The soft sensor's come first and never rest on the online OD
 * probe; the forecast heads see all. The canonical JSON of this list is what `featureSchemaHash` digests: any change
 * of meaning needs a new version here, and a model trained on it.
 */
import { hash } from 'node:crypto'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import { domainLimits } from './domain-limits.ts'
import { priors, transferSd } from './unknowns.ts'

export type Feature = { readonly name: string; readonly unit: string; readonly group: FeatureGroup }
export type FeatureGroup =
  | 'clock'
  | 'environment'
  | 'base'
  | 'off-gas'
  | 'offline OD'
  | 'online OD'
  | 'state'
  | 'oxygen'

const of = (group: FeatureGroup, unit: string, ...names: string[]): Feature[] =>
  names.map((name) => ({ name, unit, group }))

/** Without the online OD probe. */
export const softFeatures: readonly Feature[] = [
  ...of('clock', 'h', 'hours'),
  ...of('clock', 'h', 'hoursSinceDepletion'),
  ...of('environment', 'Cel', 'temperature'),
  ...of('environment', '[pH]', 'pH'),
  ...of('oxygen', '%', 'dissolvedOxygen'),
  ...of('oxygen', '{rpm}', 'agitation'),
  ...of('oxygen', 'L/min', 'oxygenEnrichment'),
  ...of('oxygen', '/h', 'kLa500'),
  ...of('oxygen', '1', 'oxygenFactor'),
  ...of('base', '1', 'lnBaseRate', 'baseInnovation', 'lnBaseGain'),
  ...of('off-gas', '%', 'carbonDioxide', 'carbonDioxideOffset'),
  ...of('off-gas', '1', 'carbonDioxideInnovation', 'oxygenInnovation', 'lnCarbonDioxideGain', 'lnAirGain'),
  ...of('off-gas', '%', 'oxygenOffset'),
  ...of('offline OD', '1', 'sampleInnovation', 'samples'),
  ...of('offline OD', 'h', 'hoursSinceSample'),
  ...of('state', '1', 'softLnOd', 'softLnOdSd', 'softLnMuMax', 'softLnYield'),
  ...of('state', 'g/L', 'softGlycerol', 'softGlycerolSd'),
  ...of('state', '/h', 'softMu'),
  ...of('state', 'h', 'softLag', 'softLagSd'),
  ...of('state', '1', 'gasAndBaseDifference', 'gasOnlyDifference', 'softStrain', 'softSurprise'),
]

export const onlineFeatures: readonly Feature[] = [
  ...of('state', '1', 'lnOd', 'lnOdSd', 'lnMuMax', 'lnMuMaxSd', 'lnYield', 'lnYieldSd', 'lnDcwPerOd'),
  ...of('state', 'g/L', 'glycerol', 'glycerolSd'),
  ...of('state', '/h', 'mu'),
  ...of('state', 'h', 'lag', 'lagSd'),
  ...of(
    'online OD',
    '1',
    'lnOdGain',
    'odGainSd',
    'odCorrelated',
    'odInnovation',
    'probeDifference',
    'softDifference',
  ),
  ...of('online OD', '/h', 'lastMu', 'lastMuDifference'),
  // The phase follows µ of the online OD.
  ...of('online OD', '1', 'phase'),
  ...of('state', '1', 'strain', 'surprise'),
  ...of('state', '1', 'lnRatio30s', 'lnRatio30m', 'lnRatio1h', 'lnRatio2h'),
  ...of('state', 'min', 'depletionMinutes'),
  ...of('oxygen', '1', 'lowestOxygenFactor'),
]

export const featureSchema = {
  version: 1,
  /** What the features and the judgement before them rest on. */
  limits: domainLimits,
  priors,
  inoculumSd: transferSd,
  features: [...softFeatures, ...onlineFeatures],
} as const

export const featureNames: readonly string[] = featureSchema.features.map(({ name }) => name)

/** SHA-256 of the schema's canonical JSON (RFC 8785), hexadecimal. */
export const featureSchemaHash: string = hash('sha256', canonicalJson(featureSchema as unknown as never))

/** SHA-256 of a feature vector as little-endian float32, hexadecimal: the forecast's `inputHash`. */
export function featureHash(features: Float32Array): string {
  const bytes = Buffer.alloc(features.length * 4)
  features.forEach((value, index) => {
    bytes.writeFloatLE(value, index * 4)
  })
  return hash('sha256', bytes)
}
