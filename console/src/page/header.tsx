/** Which batch, in which state, as recorded up to when, and whether the page is still connected. */
import type { Batch, BatchState } from '../api/answers.ts'
import { batchName, byNewest, originWord } from '../model/batch-choice.ts'
import { elapsed, type Zone } from '../model/time.ts'
import type { StatusWord } from '../model/value.ts'
import type { Connection } from '../state/batch-feed.ts'
import { Instant } from './instant.tsx'
import { Status } from './shape.tsx'

export function Header({
  state,
  batches,
  elapsedMs,
  connection,
  zone,
  onBatch,
}: {
  state: BatchState
  batches: readonly Batch[]
  elapsedMs: number | null
  connection: Connection
  zone: Zone
  onBatch: (id: string) => void
}) {
  return (
    <header className={`batch-header origin-${state.origin}`}>
      <div className="identity">
        <h1>{batchName(state)}</h1>
        <strong className="origin-word" title={originSentence[state.origin]}>
          {originWord[state.origin]}
        </strong>
        <code className="batch-id" title="Batch id">
          {state.id}
        </code>
      </div>
      <dl className="facts">
        <Fact name="Status">
          <Status status={batchStatusWord[state.status]} />
        </Fact>
        <Fact name="Phase">{state.phase}</Fact>
        <Fact name="Vessel">
          <code>{state.vessel}</code>
        </Fact>
        <Fact name="Since inoculation">
          <span className="elapsed">{elapsedMs === null ? 'not inoculated' : elapsed(elapsedMs)}</span>
        </Fact>
        <Fact name="As recorded up to">
          {state.asOf.recordedAt === null ? (
            'nothing recorded'
          ) : (
            <Instant at={Date.parse(state.asOf.recordedAt)} zone={zone} />
          )}
        </Fact>
        <Fact name="Connection">
          <span aria-live="polite">
            <Status status={connectionWord[connection]} />
          </span>
        </Fact>
        <div className="fact switcher">
          <dt>
            <label htmlFor="batch-switcher">Show batch</label>
          </dt>
          <dd>
            <select id="batch-switcher" value={state.id} onChange={(event) => onBatch(event.target.value)}>
              {byNewest(batches).map((batch) => (
                <option key={batch.id} value={batch.id}>
                  {`${batch.campaign} / ${batch.number}${batch.attempt > 1 ? `.${batch.attempt}` : ''} · ${batch.vessel} · ${batch.status}${batch.origin === 'live' ? '' : ` · ${batch.origin}`}`}
                </option>
              ))}
            </select>
          </dd>
        </div>
      </dl>
      {state.notes && <p className="batch-notes">{state.notes}</p>}
    </header>
  )
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

const originSentence: Record<Batch['origin'], string> = {
  live: 'These readings come from a plant.',
  simulated: 'These readings come from the simulator; no plant stands behind them.',
  replayed: 'These readings were recorded elsewhere and played back.',
}

const batchStatusWord: Record<Batch['status'], StatusWord> = {
  pending: { word: 'pending', shape: 'ring', tone: 'dim' },
  running: { word: 'running', shape: 'circle', tone: 'normal' },
  complete: { word: 'complete', shape: 'ring', tone: 'normal' },
  aborted: { word: 'aborted', shape: 'cross', tone: 'alarm' },
}

const connectionWord: Record<Connection, StatusWord> = {
  connecting: { word: 'connecting', shape: 'ring', tone: 'dim' },
  live: { word: 'live', shape: 'circle', tone: 'normal' },
  reconnecting: { word: 'lost, reconnecting', shape: 'cross', tone: 'alarm' },
  off: { word: 'off (past view)', shape: 'ring', tone: 'dim' },
}
