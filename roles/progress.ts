/** A progress bar on stderr where a person looks, nothing elsewhere. */
import { Presets, SingleBar } from 'cli-progress'

export type ProgressBar = { update(value: number, total: number): void; stop(): void }

export function progressBar(what: string, isWanted: boolean): ProgressBar {
  if (!isWanted || !process.stderr.isTTY) return { update: () => {}, stop: () => {} }
  const bar = new SingleBar(
    {
      stream: process.stderr,
      format: `{bar} {percentage}% {value}/{total} ${what}`,
      hideCursor: true,
      etaBuffer: 100,
    },
    Presets.shades_grey,
  )
  let isStarted = false
  return {
    update: (value, total) => {
      if (!isStarted) bar.start(total, value)
      else bar.update(value)
      isStarted = true
    },
    stop: () => bar.stop(),
  }
}
