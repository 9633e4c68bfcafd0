/**
 * What ingest knows of one stream to judge the next message: the source clocks by topic and the series by tag.
 * Built again from the stream's own tail after a restart.
 */
import type { RecordedEvent } from '../schemas/event.ts'
import { findTag, type TagDefinition } from '../schemas/tags.ts'
import { clockSteps } from './sequence/clock-steps.ts'
import { type Gap, type TagSeries, tagSeries } from './sequence/tag-series.ts'

export type StreamSequence = {
  readonly clocks: ReturnType<typeof clockSteps>
  series(definition: TagDefinition): TagSeries
  restore(event: RecordedEvent): void
  silences(nowMs: number): Gap[]
}

export function streamSequence(): StreamSequence {
  const clocks = clockSteps()
  const byTag = new Map<string, TagSeries>()

  const series = (definition: TagDefinition): TagSeries => {
    let known = byTag.get(definition.tag)
    if (!known) {
      known = tagSeries(definition)
      byTag.set(definition.tag, known)
    }
    return known
  }

  return {
    clocks,
    series,
    restore(event) {
      const { tag } = event.data
      const definition = typeof tag === 'string' ? findTag(tag) : undefined
      if (!definition) return
      if (event.type === 'SensorReadingRecorded') {
        const atMs = Date.parse(event.occurredAt)
        const receivedAtMs = Date.parse(event.receivedAt)
        const flags = event.data.flags as readonly string[] | undefined
        if (event.source)
          clocks.restore({ topic: event.source.topic, seq: event.source.seq, atMs, receivedAtMs })
        series(definition).restore({
          atMs,
          receivedAtMs,
          isPossible: !flags?.includes('out-of-hard-bounds'),
          clockStepped: flags?.includes('clock-stepped') ?? false,
        })
      } else if (event.type === 'SensorGapDetected')
        series(definition).restoreOpenGap(Date.parse(String(event.data.lastReadingAt)))
      else if (event.type === 'SensorGapClosed') series(definition).restoreClosedGap()
    },
    silences(nowMs) {
      const found: Gap[] = []
      for (const one of byTag.values()) {
        const gap = one.silence(nowMs)
        if (gap) found.push(gap)
      }
      return found
    },
  }
}
