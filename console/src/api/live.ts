/**
 * The live feed of one batch over server-sent events, from a known position on, so that nothing is missed between
 * what was fetched and what arrives. The browser resumes a broken connection by itself with `Last-Event-ID`; a
 * connection that the server refused is opened anew after a pause, after the last position that was seen.
 */
import type {
  Batch,
  IngressBalance,
  LiveDerived,
  LiveForecasts,
  LiveReadings,
  TimelineItem,
} from './answers.ts'

export type LiveFrame =
  | { readonly kind: 'readings'; readonly frame: LiveReadings }
  | { readonly kind: 'timeline'; readonly item: TimelineItem }
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'ingress'; readonly balance: IngressBalance }
  | { readonly kind: 'forecasts'; readonly frame: LiveForecasts }
  | { readonly kind: 'derived'; readonly frame: LiveDerived }

export type LiveListener = {
  readonly onOpen: () => void
  readonly onLost: () => void
  readonly onFrame: (frame: LiveFrame) => void
}

const reopenMs = 3000

export function openLive(batchId: string, after: string, listener: LiveListener): { close: () => void } {
  let reached = after
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  open()
  return {
    close: () => {
      clearTimeout(timer)
      source?.close()
    },
  }

  function open(): void {
    const current = new EventSource(`/api/v1/live?${new URLSearchParams({ batch: batchId, after: reached })}`)
    source = current
    current.onopen = listener.onOpen
    current.onerror = () => {
      listener.onLost()
      if (current.readyState === EventSource.CLOSED) timer = setTimeout(open, reopenMs)
    }
    on<LiveReadings>('readings', (frame) => listener.onFrame({ kind: 'readings', frame }))
    on<TimelineItem>('timeline', (item) => listener.onFrame({ kind: 'timeline', item }))
    on<Batch>('batch', (batch) => listener.onFrame({ kind: 'batch', batch }))
    on<IngressBalance>('ingress', (balance) => listener.onFrame({ kind: 'ingress', balance }))
    on<LiveForecasts>('forecasts', (frame) => listener.onFrame({ kind: 'forecasts', frame }))
    on<LiveDerived>('derived', (frame) => listener.onFrame({ kind: 'derived', frame }))

    function on<Data>(name: string, take: (data: Data) => void): void {
      current.addEventListener(name, (event) => {
        const message = event as MessageEvent<string>
        const data = parse<Data>(message.data)
        if (message.lastEventId !== '') reached = message.lastEventId
        if (data !== undefined) take(data)
      })
    }
  }
}

/** A frame cut short by a lost connection is no frame; what it held is fetched again. */
function parse<Data>(text: string): Data | undefined {
  try {
    return JSON.parse(text) as Data
  } catch {
    return undefined
  }
}
