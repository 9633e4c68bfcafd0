/** The list of batches; asked again while there is none or the server cannot be reached, and once a minute. */
import { useEffect, useState } from 'react'
import type { Batch, BatchList } from '../api/answers.ts'
import type { Api, Failure } from '../api/client.ts'

export type Batches =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'loaded'; readonly items: readonly Batch[] }

const soonMs = 3000
const oftenMs = 30_000
const pages = 20

export function useBatches(api: Api, asOfMs: number | null): Batches {
  const [batches, setBatches] = useState<Batches>({ kind: 'loading' })
  useEffect(() => {
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async () => {
      const next = await loadBatches(api, asOfMs, abort.signal)
      setBatches((before) => (next.kind === 'failed' && before.kind === 'loaded' ? before : next))
      timer = setTimeout(() => void run(), next.kind === 'loaded' && next.items.length > 0 ? oftenMs : soonMs)
    }
    const run = () =>
      ask().catch((error: unknown) => {
        if (!abort.signal.aborted) throw error
      })
    void run()
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [api, asOfMs])
  return batches
}

async function loadBatches(api: Api, asOfMs: number | null, signal: AbortSignal): Promise<Batches> {
  const items: Batch[] = []
  let cursor: string | undefined
  for (let page = 0; page < pages; page += 1) {
    const reply = await api.get<BatchList>(
      'batches',
      { asOf: asOfMs === null ? undefined : new Date(asOfMs).toISOString(), after: cursor },
      signal,
    )
    if (reply.kind !== 'answer') return { kind: 'failed', failure: reply }
    items.push(...reply.body.items)
    if (reply.body.next === null) break
    cursor = reply.body.next
  }
  return { kind: 'loaded', items }
}
