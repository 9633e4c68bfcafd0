/**
 * Tells a stepped clock from late data, by source topic. The sequence number says in which order the source
 * sent, the source time when it measured:
 *
 * - sequence went on, time went back by more than a second: the clock stepped back;
 * - sequence went on by exactly one, time jumped ahead although no such time passed here: it stepped forward
 *   (only for a source whose messages arrive as they are made: in a replay a jump is a pause of the run);
 * - sequence and time both older: the message is late, and says nothing about the clock;
 * - sequence older, time newer: the source started again and counts anew.
 *
 * Without a sequence number nothing can be told.
 */
export type ClockStep = { readonly fromMs: number; readonly toMs: number }

export type ClockSteps = {
  observe(message: SourceMessage): ClockStep | undefined
  /** Takes in what was stored before, without judging it again. */
  restore(message: SourceMessage): void
}

export type SourceMessage = {
  readonly topic: string
  readonly seq: number | undefined
  readonly atMs: number
  readonly receivedAtMs: number
}

const backwardToleranceMs = 1_000
/** A forward step shorter than this cannot be told from a slow network. */
const forwardToleranceMs = 10_000
const liveLagMs = 30_000

export function clockSteps(): ClockSteps {
  const last = new Map<string, { seq: number; atMs: number; receivedAtMs: number }>()

  const accept = (message: SourceMessage): void => {
    if (message.seq === undefined) return
    const before = last.get(message.topic)
    if (before && message.seq <= before.seq && message.atMs <= before.atMs) return
    if (before) {
      before.seq = message.seq
      before.atMs = message.atMs
      before.receivedAtMs = message.receivedAtMs
    } else
      last.set(message.topic, {
        seq: message.seq,
        atMs: message.atMs,
        receivedAtMs: message.receivedAtMs,
      })
  }

  return {
    observe(message) {
      const before = last.get(message.topic)
      let step: ClockStep | undefined
      if (before && message.seq !== undefined && message.seq > before.seq) {
        const ahead = message.atMs - before.atMs
        const isBackward = ahead < -backwardToleranceMs
        const isForward =
          message.seq === before.seq + 1 &&
          Math.abs(before.receivedAtMs - before.atMs) <= liveLagMs &&
          ahead - (message.receivedAtMs - before.receivedAtMs) > forwardToleranceMs
        if (isBackward || isForward) step = { fromMs: before.atMs, toMs: message.atMs }
      }
      accept(message)
      return step
    },
    restore: accept,
  }
}
