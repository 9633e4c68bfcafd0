/** The phase of growth over a batch, as the windows of its forecasts state it. */
import type { Forecast } from '../api/answers.ts'

export type GrowthPhase = NonNullable<Forecast['phase']>
/** `from`: end of the first window known here that stated the phase. */
export type PhaseSpan = { readonly phase: GrowthPhase; readonly from: number }

/** In order of time; a window that states no phase changes nothing. */
export function phaseSpans(items: readonly Forecast[]): PhaseSpan[] {
  const spans: PhaseSpan[] = []
  for (const { phase, issuedAt } of items)
    if (phase !== null && phase !== spans.at(-1)?.phase) spans.push({ phase, from: Date.parse(issuedAt) })
  return spans
}

/** `lag, exponential from T+3:20:00`: the last one is the present one. */
export function phaseWords(spans: readonly PhaseSpan[], timeWords: (at: number) => string): string {
  return spans
    .map(({ phase, from }, index) => (index === 0 ? phase : `${phase} from ${timeWords(from)}`))
    .join(', ')
}
