/**
 * The entries of ascending ranges, read in windows: where gaps are small, reading over them costs less than asking anew,
 * as the log keeps its entries in chunks.
 */
import type { LogEntry } from '../storage/log-reader.ts'
import type { IndexRange } from './multi-proof.ts'
import type { ExtractLog } from './selection.ts'

const widestGap = 2048

export async function* selectedEntries(
  log: Pick<ExtractLog, 'entries'>,
  ranges: readonly IndexRange[],
): AsyncGenerator<LogEntry> {
  for (let at = 0; at < ranges.length; ) {
    const first = at
    while (at + 1 < ranges.length && rangeAt(ranges, at + 1).from - rangeAt(ranges, at).to <= widestGap) at++
    const last = at++
    let current = first
    const window = log.entries(BigInt(rangeAt(ranges, first).from), BigInt(rangeAt(ranges, last).to))
    for await (const entry of window) {
      const index = Number(entry.index)
      while (index >= rangeAt(ranges, current).to) current++
      if (index >= rangeAt(ranges, current).from) yield entry
    }
  }
}

function rangeAt(ranges: readonly IndexRange[], at: number): IndexRange {
  const range = ranges[at]
  if (!range) throw new RangeError(`there is no range ${at}`)
  return range
}
