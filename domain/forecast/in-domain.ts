/**
 * Whether a window lies in what the model was trained on, and whether its signals agree: otherwise no number is
 * given, for a wrong one would look just as sure. One watch a batch; each rule states what it found against which
 * limit.
 */
import type { WithholdReason } from '../../schemas/events/forecast-events.ts'
import type { Tag } from '../../schemas/tags.ts'
import { domainLimits as limits } from './domain-limits.ts'
import type { VesselEstimate } from './vessel-estimate.ts'

export type DomainJudgement = {
  /** 1 in the middle of what is known, 0 at a limit. */
  readonly score: number
  readonly withhold?: { readonly reason: WithholdReason; readonly detail: string }
}
export type DomainWatch = { readonly apply: (estimate: VesselEstimate) => DomainJudgement }

/** Signals without which the state soon is a guess. */
const needed = [
  'OD',
  'Off_Gas_CO2',
  'Base_Pump_Rate',
  'DO',
  'pH',
  'Temp_Broth',
  'Gas_MFC_air',
] as const satisfies readonly Tag[]
const temperatureWindows = 20

type Finding = {
  readonly reason: WithholdReason
  /** How much of the limit is used up: 1 at the limit. */
  readonly used: number
  readonly detail: () => string
}

export function domainWatch(): DomainWatch {
  /** Hours from which a tag is missing; undefined while it is there, no entry before it was ever seen. */
  const absentSince = new Map<Tag, number | undefined>()
  const temperatures: number[] = []
  const since = { base: Number.NaN, transfer: Number.NaN }
  let lastSurpriseHours = Number.NEGATIVE_INFINITY

  return {
    apply: (estimate) => {
      const findings: Finding[] = [
        ...coverage(estimate),
        ...ranges(estimate),
        ...missing(estimate),
        ...contradictions(estimate),
      ]
      const over = findings.find(({ used }) => !(used < 1))
      const most = findings.reduce((highest, { used }) => Math.max(highest, used), 0)
      return {
        score: over ? 0 : Math.max(0, Math.min(1, 1 - most)),
        ...(over ? { withhold: { reason: over.reason, detail: over.detail() } } : {}),
      }
    },
  }

  function coverage({ hours, depletedAtHours, window }: VesselEstimate): Finding[] {
    const after = depletedAtHours === undefined ? 0 : hours - depletedAtHours
    return [
      {
        reason: 'phase-not-covered',
        used: after < limits.longestAfterDepletionHours ? 0 : 1,
        detail: () =>
          `${after.toFixed(1)} h after depletion, trained up to ${limits.longestAfterDepletionHours} h`,
      },
      {
        reason: 'phase-not-covered',
        used: hours < limits.longestHours ? 0 : 1,
        detail: () => `${hours.toFixed(1)} h after inoculation, trained up to ${limits.longestHours} h`,
      },
      {
        reason: 'phase-not-covered',
        used: window.phase === undefined ? 1 : 0,
        detail: () => 'the phase of the batch is not known',
      },
    ]
  }

  function ranges({ signals }: VesselEstimate): Finding[] {
    const temperature = signals.Temp_Broth?.mean
    if (temperature !== undefined) {
      temperatures.push(temperature)
      if (temperatures.length > temperatureWindows) temperatures.shift()
    }
    const change = temperatures.length === 0 ? 0 : Math.max(...temperatures) - Math.min(...temperatures)
    return [
      range('temperature', '°C', temperature, limits.temperatureCelsius),
      range('pH', '', signals.pH?.mean, limits.pH),
      range('dissolved oxygen', '%', signals.DO?.mean, limits.dissolvedOxygenPercent),
      range('agitation', 'rpm', signals.Stir_SP?.last, limits.agitationRpm),
      range('air flow', 'L/min', signals.Gas_MFC_air?.mean, limits.airLPerMin),
      range('headspace pressure', 'bar', signals.Reactor_Pressure?.mean, limits.pressureBar),
      {
        reason: 'outside-trained-range',
        used: change / limits.temperatureChangeCelsius,
        detail: () =>
          `temperature moved by ${change.toFixed(2)} °C within 10 min, trained up to ${limits.temperatureChangeCelsius} °C`,
      },
    ]
  }

  function missing({ signals, hours }: VesselEstimate): Finding[] {
    const gone = needed.filter((tag) => signals[tag] === undefined).length
    const limit = gone >= limits.manyMissing ? limits.manyMissingMinutes : limits.missingMinutes
    return needed.map((tag) => {
      if (signals[tag] !== undefined) {
        absentSince.set(tag, undefined)
        return { reason: 'too-many-missing', used: 0, detail: () => '' }
      }
      if (!absentSince.has(tag))
        return { reason: 'too-many-missing', used: 1, detail: () => `${tag} has not been seen in this batch` }
      const from = absentSince.get(tag) ?? hours - 1 / 120
      absentSince.set(tag, from)
      const minutes = (hours - from) * 60
      return {
        reason: 'too-many-missing',
        used: minutes / limit,
        detail: () =>
          `${tag} ${signals.stuck.includes(tag) ? 'does not move' : 'is missing'} for ${minutes.toFixed(1)} min, the limit is ${limit} min`,
      }
    })
  }

  function contradictions(estimate: VesselEstimate): Finding[] {
    const { filters, hours, signals } = estimate
    const { all, soft } = filters
    const apart = Math.abs(soft.lnOd() - all.lnOd()) / Math.max(0.01, soft.sdLnOd())
    const findings = [
      disagreement('online OD and soft sensor, SD apart', apart, limits.softDifference),
      disagreement(
        'gain of the online OD probe that the other signals imply, ln',
        Math.abs(all.value('lnOdGain')),
        limits.odGain,
      ),
      disagreement('mean squared innovation', all.surprise(), limits.surprise),
      disagreement('mean squared innovation without online OD', soft.surprise(), limits.surprise),
      disagreement('instrument errors that the signals imply, squared SD', all.strain(), limits.strain),
      disagreement('instrument errors without online OD, squared SD', soft.strain(), limits.softStrain),
      disagreement(
        'offline sample against the signals, SD',
        Math.abs(orZero(all.innovations.sample)),
        limits.sampleInnovation,
      ),
      ...(['od', 'base', 'carbonDioxide', 'oxygen'] as const).map((signal) =>
        disagreement(
          `innovation of ${signal}, SD`,
          Math.max(Math.abs(orZero(all.innovations[signal])), Math.abs(orZero(soft.innovations[signal]))),
          limits.innovation,
        ),
      ),
    ]
    if (estimate.depletedAtHours === undefined) {
      const loopActive = signals.pH !== undefined && signals.pH.mean < 5.1
      const share = loopActive && hours > 1 ? estimate.baseShare : undefined
      findings.push(
        lasting(
          'base',
          hours,
          share === undefined ? 0 : outside(share, limits.baseShare),
          limits.baseShareMinutes,
          () => `ammonia feed is ${(100 * (share ?? 0)).toFixed(0)} % of what growth takes`,
        ),
        lasting(
          'transfer',
          hours,
          Math.abs(estimate.transferChange) / limits.transferChange,
          limits.transferChangeMinutes,
          () =>
            `oxygen transfer moved by ${estimate.transferChange.toFixed(2)} (ln kLa) against this vessel's own`,
        ),
      )
    }
    // After a contradiction signals need a while to prove that they agree again.
    if (findings.some(({ used }) => used >= 1)) lastSurpriseHours = hours
    else if (hours - lastSurpriseHours < 1 / 6)
      findings.push({
        reason: 'inputs-disagree',
        used: 1,
        detail: () => 'signals disagreed within the last 10 min',
      })
    return findings
  }

  function lasting(
    name: keyof typeof since,
    hours: number,
    used: number,
    minutes: number,
    found: () => string,
  ): Finding {
    if (!(used >= 1)) since[name] = Number.NaN
    else if (Number.isNaN(since[name])) since[name] = hours
    const lasted = Number.isNaN(since[name]) ? 0 : (hours - since[name]) * 60
    return {
      reason: 'inputs-disagree',
      used: lasted >= minutes ? used : Math.min(0.9, used),
      detail: () => `${found()} for ${lasted.toFixed(1)} min`,
    }
  }
}

function range(
  what: string,
  unit: string,
  value: number | undefined,
  [low, high]: readonly [number, number],
): Finding {
  const middle = (low + high) / 2
  return {
    reason: 'outside-trained-range',
    used: value === undefined ? 0 : Math.abs(value - middle) / ((high - low) / 2),
    detail: () => `${what} ${value?.toFixed(2)} ${unit}, trained from ${low} to ${high}`,
  }
}

function disagreement(what: string, value: number, limit: number): Finding {
  return {
    reason: 'inputs-disagree',
    used: value / limit,
    detail: () => `${what}: ${value.toPrecision(2)}, the limit is ${limit}`,
  }
}

const outside = (value: number, [low, high]: readonly [number, number]): number =>
  value < low ? 1 + (low - value) : value > high ? value / high : 0
const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value)
