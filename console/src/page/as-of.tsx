/** Looking back: the banner that says so, and the control that chooses the instant. Buttons and typing, no drag. */
import { useId, useState } from 'react'
import { fullTime, offsetLabel, readTypedInstant, typedForm, type Zone } from '../model/time.ts'

export function AsOfBanner({ asOfMs, zone, onLive }: { asOfMs: number; zone: Zone; onLive: () => void }) {
  return (
    <div className="as-of-banner" role="status">
      <strong>Viewing the record as known at {fullTime(zone, asOfMs)}</strong>
      <span>{new Date(asOfMs).toISOString()} · read-only, not live</span>
      <button type="button" onClick={onLive}>
        Back to live
      </button>
    </div>
  )
}

const steps = [
  { label: '−1 h', ms: -3_600_000 },
  { label: '−1 min', ms: -60_000 },
  { label: '+1 min', ms: 60_000 },
  { label: '+1 h', ms: 3_600_000 },
]

export function AsOfControl({
  asOfMs,
  nowMs,
  zone,
  onChoose,
}: {
  asOfMs: number | null
  nowMs: number
  zone: Zone
  onChoose: (asOfMs: number | null) => void
}) {
  const id = useId()
  const base = asOfMs ?? nowMs
  const [text, setText] = useState<string | null>(null)
  const [refused, setRefused] = useState<string | null>(null)
  const choose = (ms: number) => {
    if (ms > nowMs) {
      setRefused('that instant has not passed yet')
      return
    }
    setRefused(null)
    setText(null)
    onChoose(ms)
  }
  return (
    <form
      className="as-of-control"
      onSubmit={(event) => {
        event.preventDefault()
        const read = readTypedInstant(text ?? typedForm(zone, base), zone)
        if (read.kind === 'refused') setRefused(read.rule)
        else choose(read.ms)
      }}
    >
      <label htmlFor={id}>
        Record as known at <span className="dim">({offsetLabel(zone, base)}; recorded time)</span>
      </label>
      <div className="row">
        <input
          id={id}
          value={text ?? typedForm(zone, base)}
          onChange={(event) => setText(event.target.value)}
          aria-describedby={`${id}-refused`}
          aria-invalid={refused !== null}
          autoComplete="off"
          spellCheck={false}
        />
        <button type="submit">View</button>
        {steps.map((step) => (
          <button
            key={step.label}
            type="button"
            disabled={step.ms > 0 && base + step.ms > nowMs}
            onClick={() => choose(Math.floor(base / 1000) * 1000 + step.ms)}
          >
            {step.label}
          </button>
        ))}
        {asOfMs !== null && (
          <button type="button" onClick={() => onChoose(null)}>
            Live
          </button>
        )}
      </div>
      <p id={`${id}-refused`} className="refused" role="alert">
        {refused}
      </p>
    </form>
  )
}
