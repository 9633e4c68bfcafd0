/** What happened to a model, in sentences; fetched when it is opened. */
import { useState } from 'react'
import type { ModelRecord } from '../api/answers.ts'
import type { Api } from '../api/client.ts'
import type { Zone } from '../model/time.ts'
import { Instant } from './instant.tsx'
import { failureWords } from './notice.tsx'

export function ModelHistory({
  api,
  modelId,
  asOfMs,
  zone,
}: {
  api: Api
  modelId: string
  asOfMs: number | null
  zone: Zone
}) {
  const [history, setHistory] = useState<ModelRecord['history'] | undefined>(undefined)
  const [trouble, setTrouble] = useState<string | undefined>(undefined)
  const load = async () => {
    const reply = await api.get<ModelRecord>(`models/${encodeURIComponent(modelId)}`, {
      asOf: asOfMs === null ? undefined : new Date(asOfMs).toISOString(),
    })
    if (reply.kind === 'answer') setHistory(reply.body.history)
    setTrouble(reply.kind === 'answer' ? undefined : failureWords(reply).title)
  }
  return (
    <details
      className="absences"
      onToggle={(event) => {
        if (event.currentTarget.open) void load()
      }}
    >
      <summary>History</summary>
      {trouble !== undefined && <p role="alert">{trouble}.</p>}
      {history === undefined ? (
        trouble === undefined && <p role="status">Asking for the history …</p>
      ) : (
        <ol>
          {history.map((item) => (
            <li key={item.eventId}>
              <Instant
                at={Date.parse(item.occurredAt)}
                zone={zone}
                form="date-time"
                note={`occurred; recorded ${item.recordedAt}, position ${item.position}`}
              />{' '}
              {item.sentence}
            </li>
          ))}
        </ol>
      )}
    </details>
  )
}
