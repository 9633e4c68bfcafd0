/**
 * Vessels with a running batch, as their gateways send them: one message of all tags a vessel and second, with the values
 * that the simulated process has so long after this vessel's own inoculation. What lies before the load began is caught
 * up first, as by a gateway that was cut off.
 */
import { modelTags } from '../domain/forecast/window-signals.ts'
import { simulateBatch } from '../domain/process-model/batch-run.ts'
import { presets } from '../domain/process-model/settings.ts'
import type { Values } from '../domain/process-model/signals.ts'
import { sensorTopic } from '../schemas/mqtt.ts'
import type { Message } from './publisher.ts'

export type RunningVessel = {
  readonly name: string
  /** T = 0, source time in ms. */
  readonly inoculatedMs: number
}

export type VesselMessages = {
  /** The vessel's next message of what lies before now, or undefined when it has caught up. */
  readonly past: (index: number, nowMs: number) => Message | undefined
  /** What it measures at `atMs`, whole seconds after its T = 0. */
  readonly at: (index: number, atMs: number) => Message
}

/** Simulated batches that the vessels share, each at a time of its own. */
const batches = 40
/**
 * Seconds of three that are caught up, with the tags that the model looks at alone: a window needs half of a tag's
 * readings, with fewer than these its outliers would leave it without.
 */
const isCaughtUp = [true, true, false] as const

type Text = { readonly values: string; readonly readings: number }
type Second = { readonly whole: Text; readonly ofModel: Text }

/** `seconds`: how long after T = 0 the vessels will be asked for at most. */
export function vesselMessages(vessels: readonly RunningVessel[], seconds: number): VesselMessages {
  const simulated = Array.from({ length: batches }, (_, batch) => simulatedSeconds(batch + 1, seconds))
  const nextSecond = vessels.map(() => 0)

  const message = (index: number, second: number, part: keyof Second): Message => {
    const vessel = vessels[index]
    const text = simulated[index % batches]?.[second]?.[part]
    if (!vessel || !text) throw new RangeError(`vessel ${index} has no values at second ${second}`)
    const at = new Date(vessel.inoculatedMs + second * 1000).toISOString()
    return {
      topic: sensorTopic(vessel.name),
      payload: `{"at":"${at}","origin":"simulated","values":${text.values}}`,
      readings: text.readings,
    }
  }
  const secondOf = (index: number, atMs: number): number =>
    (atMs - (vessels[index]?.inoculatedMs ?? 0)) / 1000

  return {
    past(index, nowMs) {
      let second = nextSecond[index] ?? 0
      if (isCaughtUp[second % isCaughtUp.length] === false) second++
      if (second > secondOf(index, nowMs)) return undefined
      nextSecond[index] = second + 1
      return message(index, second, 'ofModel')
    },
    at: (index, atMs) => message(index, Math.round(secondOf(index, atMs)), 'whole'),
  }
}

function simulatedSeconds(seed: number, seconds: number): readonly Second[] {
  const found: Second[] = []
  for (const { values } of simulateBatch({ settings: presets.N, noise: 'realistic', seed })) {
    const ofModel = Object.fromEntries(modelTags.map((tag) => [tag, values[tag]]))
    found.push({ whole: textOf(values), ofModel: textOf(ofModel) })
    if (found.length > seconds) break
  }
  return found
}

/** A tag without a value in this second (weight comes every 10 s) is left out. */
const textOf = (values: Values): Text => ({
  values: JSON.stringify(values),
  readings: Object.values(values).filter((value) => value !== undefined).length,
})
