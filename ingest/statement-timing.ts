/**
 * When the figures of a stream are stated: every ten seconds while readings come, and soon after they stop. A stream
 * has its own rhythm (a message a second, a burst a second): only a pause that is long for this stream is a stop.
 */
export type StatementTiming = {
  arrived(nowMs: number): void
  /** The figures changed. */
  accounted(nowMs: number): void
  stated(nowMs: number): void
  isUnstated(): boolean
  isDue(nowMs: number): boolean
}

const everyMs = 10_000
const shortestStopMs = 300
const longestStopMs = 4_000

export function statementTiming(): StatementTiming {
  let unstatedSinceMs: number | undefined
  let lastArrivalMs: number | undefined
  let longestPauseMs = 0
  let formerPauseMs = 0
  return {
    arrived(nowMs) {
      if (lastArrivalMs !== undefined && nowMs - lastArrivalMs < longestStopMs)
        longestPauseMs = Math.max(longestPauseMs, nowMs - lastArrivalMs)
      lastArrivalMs = nowMs
    },
    accounted(nowMs) {
      unstatedSinceMs ??= nowMs
    },
    stated() {
      unstatedSinceMs = undefined
      formerPauseMs = longestPauseMs
      longestPauseMs = 0
    },
    isUnstated: () => unstatedSinceMs !== undefined,
    isDue(nowMs) {
      if (unstatedSinceMs === undefined) return false
      if (nowMs - unstatedSinceMs >= everyMs) return true
      const stopMs = Math.min(
        longestStopMs,
        Math.max(shortestStopMs, 1.5 * Math.max(longestPauseMs, formerPauseMs)),
      )
      return nowMs - Math.max(lastArrivalMs ?? 0, unstatedSinceMs) >= stopMs
    },
  }
}
