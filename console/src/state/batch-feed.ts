/**
 * Everything of one batch but its series: state and current values, timeline, ingress balance, gaps. Fetched
 * once, then kept up by the live feed; the state is asked again every few seconds, because it says up to when the
 * record is known. A view of a past instant is fetched once and never followed.
 */
import type {
  BatchState,
  CurrentValue,
  Gap,
  GapList,
  IngressBalance,
  LiveReadings,
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
  /** Newest first. */
  readonly timeline: readonly TimelineItem[]
  readonly ingress: IngressBalance | undefined
  readonly gaps: readonly Gap[]
  readonly connection: Connection
  readonly failure: Failure | undefined
  /** Server clock when readings last arrived here, or when this page began to listen. */
  readonly arrivedMs: number
  readonly newestSourceMs: number | null
}

export type BatchFeed = Store<BatchSnapshot> & { readonly stop: () => void }

export type BatchFeedOptions = {
  readonly api: Api
  readonly batchId: string
  readonly asOfMs: number | null
  readonly onReadings: (frame: LiveReadings) => void
  /** The live feed opened (again): what was missed has to be fetched. */
  readonly onOpen: () => void
}

const stateEveryMs = 5000
const gapsEveryMs = 30_000
const retryMs = 3000
const timelinePages = 20

export function createBatchFeed({ api, batchId, asOfMs, onReadings, onOpen }: BatchFeedOptions): BatchFeed {
  const store = createStore<BatchSnapshot>({
    state: undefined,
    current: [],
    timeline: [],
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

  void run(loadState)
  void run(loadRest)
  const live =
    asOfMs === null ? openLive(batchId, { onOpen: opened, onLost: lost, onFrame: take }) : undefined
  if (asOfMs === null) {
    timers.add(setInterval(() => void run(loadState), stateEveryMs))
    timers.add(setInterval(() => void run(loadGaps), gapsEveryMs))
  }

  return {
    ...store,
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
    await Promise.all([loadTimeline(), loadIngress(), loadGaps()])
  }

  async function loadTimeline(): Promise<void> {
    let cursor: string | undefined
    for (let page = 0; page < timelinePages; page += 1) {
      const reply: Reply<Timeline> = await api.get(`${path}/timeline`, { asOf, after: cursor }, abort.signal)
      if (reply.kind !== 'answer') {
        later(loadTimeline, reply)
        return
      }
      store.set({ timeline: addToTimeline(store.get().timeline, reply.body.items) })
      if (reply.body.next === null) return
      cursor = reply.body.next
    }
  }

  async function loadIngress(): Promise<void> {
    const reply = await api.get<IngressBalance>(`${path}/ingress`, { asOf }, abort.signal)
    if (reply.kind === 'answer') store.set({ ingress: reply.body })
    else later(loadIngress, reply)
  }

  async function loadGaps(): Promise<void> {
    const reply = await api.get<GapList>(`${path}/gaps`, { asOf }, abort.signal)
    if (reply.kind === 'answer') store.set({ gaps: reply.body.items })
  }

  function opened(): void {
    const again = store.get().connection === 'reconnecting'
    store.set({ connection: 'live' })
    if (again) {
      void run(loadState)
      void run(loadRest)
    }
    onOpen()
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
        store.set({ timeline: addToTimeline(timeline, [frame.item]) })
        if (frame.item.type.startsWith('SensorGap')) void run(loadGaps)
        return
      case 'batch':
        if (state) store.set({ state: { ...state, ...frame.batch } })
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
