/**
 * What can go wrong, or be made to go wrong on purpose, in a simulated batch: pure descriptions in hours after
 * inoculation. Process disturbances act on the truth, signal faults on what the transmitters show, delivery faults
 * on the way of the messages. Planned stress (temperature, agitation) is described in the same way.
 */
import type { Tag } from '../../schemas/tags.ts'

type Between = { readonly fromHours: number; readonly toHours: number }

export type ProcessDisturbance =
  /** Temperature setpoint held at another value (planned stress of batch 13). */
  | (Between & { readonly kind: 'temperature-setpoint'; readonly celsius: number })
  /** Agitation held by hand (planned stress of batch 14). */
  | (Between & { readonly kind: 'agitation-override'; readonly rpm: number })
  /** kLa halved, headspace pressure and torque up. */
  | (Between & { readonly kind: 'foam' })
  | (Between & { readonly kind: 'base-pump-stop' })
  /** The base pump runs away at a fixed rate. */
  | (Between & { readonly kind: 'base-overdose'; readonly mlPerMin: number })
  | (Between & { readonly kind: 'heater-runaway'; readonly celsiusPerHour: number })
  | (Between & { readonly kind: 'stirrer-trip' })
  /** Stirrer, air, heater, base pump and all transmitters off. */
  | (Between & { readonly kind: 'power-loss' })
  /** The probe answers slowly, so the cascade reacts late too. */
  | (Between & { readonly kind: 'do-probe-slow'; readonly lagSeconds: number })
  /** A faster organism (mu 0.5 to 0.8 1/h) from `fromHours` on, at 0.001 g/L unless said otherwise. */
  | {
      readonly kind: 'contamination'
      readonly fromHours: number
      readonly muPerH: number
      readonly startGPerL?: number
    }
  /** The glycerol weighed in was off by this factor (0.9 = 10 % short). */
  | { readonly kind: 'glycerol-mass'; readonly factor: number }

export type SignalFault =
  /** No readings of these tags (all tags when absent). The library's durations: 30 s, 8 min, 45 min, 90 min. */
  | (Between & { readonly kind: 'drop-out'; readonly tags?: readonly Tag[] })
  /** One reading at `fromHours` is off by `by`. */
  | { readonly kind: 'spike'; readonly fromHours: number; readonly tag: Tag; readonly by: number }
  | (Between & { readonly kind: 'stuck'; readonly tag: Tag })
  | (Between & { readonly kind: 'out-of-range'; readonly tag: Tag; readonly value: number })
  /** A drift that grows linearly and stays at its end value. */
  | (Between & { readonly kind: 'drift'; readonly tag: Tag; readonly by: number })
  /** A wrong gain: what is shown is `factor` times what should be. */
  | (Between & { readonly kind: 'gain'; readonly tag: Tag; readonly factor: number })

export type DeliveryFault =
  /** Each message of the span is sent twice. */
  | (Between & { readonly kind: 'duplicate' })
  /** Messages of the span are held back and sent, in order, `byMinutes` after the span's end (back-fill). */
  | (Between & { readonly kind: 'late'; readonly byMinutes: number })
  /** Messages of the span go out in reversed groups of `groupSize`. */
  | (Between & { readonly kind: 'out-of-order'; readonly groupSize: number })

export type Disturbance = ProcessDisturbance | SignalFault | DeliveryFault

const processKinds = new Set<Disturbance['kind']>([
  'temperature-setpoint',
  'agitation-override',
  'foam',
  'base-pump-stop',
  'base-overdose',
  'heater-runaway',
  'stirrer-trip',
  'power-loss',
  'do-probe-slow',
  'contamination',
  'glycerol-mass',
])
const deliveryKinds = new Set<Disturbance['kind']>(['duplicate', 'late', 'out-of-order'])

export const isProcessDisturbance = (disturbance: Disturbance): disturbance is ProcessDisturbance =>
  processKinds.has(disturbance.kind)
export const isDeliveryFault = (disturbance: Disturbance): disturbance is DeliveryFault =>
  deliveryKinds.has(disturbance.kind)
export const isSignalFault = (disturbance: Disturbance): disturbance is SignalFault =>
  !isProcessDisturbance(disturbance) && !isDeliveryFault(disturbance)

/** From `fromHours` inclusive to `toHours` exclusive. */
export const isActive = (span: Between, hours: number): boolean =>
  hours >= span.fromHours && hours < span.toHours
