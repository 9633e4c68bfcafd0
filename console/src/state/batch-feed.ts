/**
 * Everything of one batch but its series and forecasts: state and current values, timeline, samples, ingress balance,
 * gaps, and the models that forecast. Fetched once, then kept up by the live feed; the state is asked again every few
 * seconds, because it says up to when the record is known. A view of a past instant is fetched once and never followed.
 */
import type {
  BatchState,
  CurrentValue,
  Gap,
  GapList,
  IngressBalance,
  LiveDerived,
  LiveForecasts,
  LiveReadings,
  ModelList,
  ModelVersion,
  OfflineSampleAnswer,
  OfflineSampleList,
  Timeline,
  TimelineItem,
} from '../api/answers.ts'
import type { Api, Failure, Reply } from '../api/client.ts'
import { type LiveFrame, openLive } from '../api/live.ts'
import { addToTimeline, applyReadings, newestSourceMs } from '../model/current.ts'
import { createStore, type Store } from './store.ts'

export type Connection = 'connecting' | 'live' | 'reconnecting' | 'off'

export type BatchSnapshot = {
  readonly state: BatchState | undefined
  readonly current: readonly CurrentValue[]
  /** Newest first; older ones are fetched on demand. */
  readonly timeline: readonly TimelineItem[]
  readonly olderCursor: string | null
  readonly samples: readonly OfflineSampleAnswer[]
  readonly models: readonly ModelVersion[]
  readonly ingress: IngressBalance | undefined
  readonly gaps: readonly Gap[]
  readonly connection: Connection
  readonly failure: Failure | undefined
  /** Server clock when readings last arrived here, or when this page began to listen. */
  readonly arrivedMs: number
  readonly newestSourceMs: number | null
}

export type BatchFeed = Store<BatchSnapshot> & {
  readonly loadOlder: () => void
  readonly stop: () => void
}

export type BatchFeedOptions = {
  readonly api: Api
  readonly batchId: string
  readonly asOfMs: number | null
  readonly onReadings: (frame: LiveReadings) => void
  readonly onForecasts: (frame: LiveForecasts) => void
  readonly onDerived: (frame: LiveDerived) => void
  /** A sample met forecasts. */
  readonly onScored: () => void
  /** The live feed came back after a loss. */
  readonly onReopened: () => void
}

const stateEveryMs = 5000
const gapsEveryMs = 30_000
const retryMs = 3000
const timelinePage = '100'
const largestPage = '1000'
const gapPages = 10

export function createBatchFeed({
  api,
  batchId,
  asOfMs,
  onReadings,
  onForecasts,
  onDerived,
  onScored,
  onReopened,
}: BatchFeedOptions): BatchFeed {
  const store = createStore<BatchSnapshot>({
    state: undefined,
    current: [],
    timeline: [],
    olderCursor: null,
    samples: [],
    models: [],
    ingress: undefined,
    gaps: [],
    connection: asOfMs === null ? 'connecting' : 'off',
    failure: undefined,
    arrivedMs: api.serverNowMs(),
    newestSourceMs: null,
  })
  const abort = new AbortController()
  const timers = new Set<ReturnType<typeof setInterval>>()
  const path = `batches/${encodeURIComponent(batchId)}`
  const asOf = asOfMs === null ? undefined : new Date(asOfMs).toISOString()

  let live: { close: () => void } | undefined

  void run(loadState)
  void run(loadRest)
  if (asOfMs === null) {
    timers.add(setInterval(() => void run(loadState), stateEveryMs))
    timers.add(setInterval(() => void run(loadGaps), gapsEveryMs))
    timers.add(setInterval(() => void run(loadModels), gapsEveryMs))
  }

  return {
    ...store,
    loadOlder: () => void run(loadOlder),
    stop: () => {
      abort.abort()
      live?.close()
      for (const timer of timers) clearInterval(timer)
    },
  }

  async function loadState(): Promise<void> {
    const reply = await api.get<BatchState>(path, { asOf }, abort.signal)
    if (reply.kind !== 'answer') {
      store.set({ failure: reply })
      if (!store.get().state || asOfMs !== null) later(loadState, reply)
      return
    }
    if (asOfMs === null)
      live ??= openLive(batchId, reply.body.asOf.position, { onOpen: opened, onLost: lost, onFrame: take })
    const before = store.get()
    const newest = newestSourceMs(reply.body.current)
    store.set({
      state: reply.body,
      current: reply.body.current,
      failure: undefined,
      newestSourceMs: newest,
      ...(newest !== null && newest > (before.newestSourceMs ?? newest)
        ? { arrivedMs: api.serverNowMs() }
        : {}),
    })
  }

  async function loadRest(): Promise<void> {
    await Promise.all([loadTimeline(), loadSamples(), loadModels(), loadIngress(), loadGaps()])
  }

  async function loadTimeline(): Promise<void> {
    const reply = await askTimeline({ order: 'desc', limit: timelinePage })
    if (reply.kind !== 'answer') {
      later(loadTimeline, reply)
      return
    }
    const { items, next } = reply.body
    store.set({ timeline: addToTimeline(store.get().timeline, items), olderCursor: next })
  }

  async function loadOlder(): Promise<void> {
    const { olderCursor } = store.get()
    if (olderCursor === null) return
    const reply = await askTimeline({ order: 'desc', limit: timelinePage, after: olderCursor })
    if (reply.kind !== 'answer') {
      later(loadOlder, reply)
      return
    }
    const { items, next } = reply.body
    store.set({ timeline: addToTimeline(store.get().timeline, items), olderCursor: next })
  }

  async function loadSamples(): Promise<void> {
    const reply = await api.get<OfflineSampleList>(
      `${path}/samples`,
      { asOf, limit: largestPage },
      abort.signal,
    )
    if (reply.kind === 'answer') store.set({ samples: reply.body.items })
    else later(loadSamples, reply)
  }

  async function loadModels(): Promise<void> {
    const reply = await api.get<ModelList>('models', { asOf }, abort.signal)
    if (reply.kind === 'answer') store.set({ models: reply.body.items })
    else later(loadModels, reply)
  }

  function askTimeline(parameters: Record<string, string>): Promise<Reply<Timeline>> {
    return api.get(`${path}/timeline`, { asOf, ...parameters }, abort.signal)
  }

  async function loadIngress(): Promise<void> {
    const reply = await api.get<IngressBalance>(`${path}/ingress`, { asOf }, abort.signal)
    if (reply.kind === 'answer') store.set({ ingress: reply.body })
    else later(loadIngress, reply)
  }

  async function loadGaps(): Promise<void> {
    const gaps: Gap[] = []
    let after: string | undefined
    for (let page = 0; page < gapPages; page += 1) {
      const reply: Reply<GapList> = await api.get(
        `${path}/gaps`,
        { asOf, limit: largestPage, after },
        abort.signal,
      )
      if (reply.kind !== 'answer') {
        later(loadGaps, reply)
        return
      }
      gaps.push(...reply.body.items)
      if (reply.body.next === null) break
      after = reply.body.next
    }
    store.set({ gaps })
  }

  function opened(): void {
    const again = store.get().connection === 'reconnecting'
    store.set({ connection: 'live' })
    if (!again) return
    void run(loadState)
    onReopened()
  }

  function lost(): void {
    if (store.get().connection !== 'reconnecting') store.set({ connection: 'reconnecting' })
  }

  function take(frame: LiveFrame): void {
    const { state, current, timeline } = store.get()
    switch (frame.kind) {
      case 'readings': {
        const values = applyReadings(current, frame.frame)
        store.set({ current: values, newestSourceMs: newestSourceMs(values), arrivedMs: api.serverNowMs() })
        onReadings(frame.frame)
        return
      }
      case 'timeline':
        store.set({
          timeline: addToTimeline(timeline, [frame.item]),
        })
        if (frame.item.type.startsWith('SensorGap')) void run(loadGaps)
        if (frame.item.type === 'SampleTaken') void run(loadSamples)
        if (frame.item.type === 'ForecastScored') onScored()
        return
      case 'batch':
        if (state) store.set({ state: { ...state, ...frame.batch } })
        return
      case 'forecasts':
        onForecasts(frame.frame)
        return
      case 'derived':
        onDerived(frame.frame)
        return
      case 'ingress':
        store.set({ ingress: frame.balance })
    }
  }

  /** An unanswered question is asked again; one that was refused is not. */
  function later(question: () => Promise<void>, failure: Failure): void {
    if (failure.kind !== 'unreachable' && failure.kind !== 'later') return
    const timer = setTimeout(
      () => {
        timers.delete(timer)
        void run(question)
      },
      failure.kind === 'later' ? failure.retryAfterMs : retryMs,
    )
    timers.add(timer)
  }

  async function run(question: () => Promise<void>): Promise<void> {
    try {
      await question()
    } catch (error) {
      if (!abort.signal.aborted) throw error
    }
  }
}
