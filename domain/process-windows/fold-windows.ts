/**
 * One vessel's events in store order become the closed 30-s windows of the batch that is open on it.
 *
 * No clock and no random number: the same events give the same windows in any process, and state is rebuilt by
 * folding the batch's events again from its creation. Readings belong to the batch whose `reading-<batchId>` stream
 * they stand in: the edge decided that by their source time. Readings outside any batch (idle streams) and events of
 * other types are ignored. How windows close: `batch-windows.ts`.
 */
import type { RecordedEvent } from '../../schemas/event.ts'
import type { batchCreated, batchInoculated, sampleTaken } from '../../schemas/events/batch-events.ts'
import type { EventOf } from '../../schemas/events/event-type.ts'
import type { sensorReadingRecorded } from '../../schemas/events/sensor-events.ts'
import { streams } from '../../schemas/streams.ts'
import { type BatchWindows, batchWindows } from './batch-windows.ts'
import { defaultProcessSettings, type ProcessSettings } from './process-settings.ts'
import type { ProcessWindow } from './process-window.ts'

type DataOf<Definition> = EventOf<Definition> extends { readonly data: infer Data } ? Data : never

export type WindowFoldOptions = {
  readonly vessel: string
  /** What differs from the process description's vessel. */
  readonly settings?: Partial<ProcessSettings>
}

export type WindowFold = {
  /** The windows that this event closed, oldest first; mostly none. Events of other vessels are refused. */
  readonly apply: (event: RecordedEvent) => readonly ProcessWindow[]
  /** The batch that is open on the vessel, as far as folded. */
  readonly batchId: () => string | undefined
  /** Readings of the open batch that came after their window had closed. */
  readonly lateReadings: () => number
}

const none: readonly ProcessWindow[] = []

/** Throws RangeError when an event names another vessel: two vessels in one fold would be silently mixed. */
export function windowFold(options: WindowFoldOptions): WindowFold {
  const settings: ProcessSettings = { ...defaultProcessSettings, ...options.settings }
  let open: BatchWindows | undefined
  let readingStream = ''
  const instants = instantReader()

  return {
    batchId: () => open?.batchId,
    lateReadings: () => open?.lateReadings() ?? 0,
    apply: (event) => {
      switch (event.type) {
        case 'SensorReadingRecorded': {
          if (open === undefined || event.stream !== readingStream) return none
          const data = event.data as DataOf<typeof sensorReadingRecorded>
          requireVessel(data.vessel)
          return open.reading(event, data, instants(event.occurredAt)) ?? none
        }
        case 'BatchCreated': {
          const data = event.data as DataOf<typeof batchCreated>
          requireVessel(data.vessel)
          if (open?.batchId === data.batchId) return none
          const left = open?.end(event) ?? none
          open = batchWindows({ batchId: data.batchId, vessel: options.vessel, settings })
          readingStream = streams.reading(data.batchId)
          return left
        }
        case 'BatchInoculated': {
          const data = event.data as DataOf<typeof batchInoculated>
          if (open?.batchId !== data.batchId) return none
          open.inoculate(event.position, {
            atMs: instants(event.occurredAt),
            od600: numberOf(data.inoculumOd600),
            volumeMl: numberOf(data.inoculumVolumeMl),
          })
          return none
        }
        case 'SampleTaken': {
          const data = event.data as DataOf<typeof sampleTaken>
          if (open?.batchId !== data.batchId) return none
          // A replicate is another assay of broth that was drawn once.
          const drawnMl = (data.replicate ?? 1) > 1 ? 0 : (numberOf(data.volumeMl) ?? 0)
          open.sample(event.position, drawnMl, {
            sampleEventId: event.id,
            sampledMs: instants(event.occurredAt),
            od600: Number(data.od600),
          })
          return none
        }
        case 'BatchClosed':
        case 'BatchAborted': {
          if (open?.batchId !== event.data.batchId) return none
          const left = open?.end(event) ?? none
          open = undefined
          readingStream = ''
          return left
        }
        default:
          return none
      }
    },
  }

  function requireVessel(vessel: string): void {
    if (vessel !== options.vessel)
      throw new RangeError(`vessel is ${vessel}, this fold is that of ${options.vessel}`)
  }
}

const numberOf = (decimal: string | undefined): number | undefined =>
  decimal === undefined ? undefined : Number(decimal)

/** ms since the epoch of an instant; the readings of one message share theirs, so the last one is remembered. */
function instantReader(): (instant: string) => number {
  let text = ''
  let ms = 0
  return (instant) => {
    if (instant !== text) {
      ms = Date.parse(instant)
      text = instant
    }
    return ms
  }
}
