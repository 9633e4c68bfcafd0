/** A subscription of the stand-in: catch-up, live, and dropped when it is too far behind. */
import { randomUUID } from 'node:crypto'
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import messages from '@eventstore/db-client/generated/streams_pb.js'
import { Metadata, type ServerWritableStream, type ServiceError, status } from '@grpc/grpc-js'
import type { LogRecord } from './stand-in-log.ts'
import { eventMessage, type Filter } from './stand-in-messages.ts'

/** What a live subscription may be behind: the server's two buffers. */
const liveBuffer = 64

export type LiveSubscription = ReturnType<typeof liveSubscription>

/** Catches up from the log at the reader's pace; once live, it is dropped when more than the buffer waits. */
export function liveSubscription(deps: {
  readonly call: ServerWritableStream<ReadReq, ReadResp>
  readonly next: number
  readonly filter: Filter
  readonly records: () => readonly LogRecord[]
  readonly isHeld: () => boolean
  readonly eventsUntilDrop: () => number
  readonly onDropped: () => void
  readonly onEnd: () => void
}) {
  const { call, filter, records } = deps
  let next = deps.next
  let live = false
  let sending = false
  let ended = false
  let sinceCheckpoint = 0
  let sent = 0

  const end = () => {
    if (ended) return
    ended = true
    deps.onEnd()
  }
  call.on('cancelled', end)
  call.on('close', end)

  async function send(): Promise<void> {
    if (sending || ended) return
    sending = true
    try {
      while (!ended && !deps.isHeld() && next < records().length) {
        const record = records()[next]!
        next++
        if (filter.passes(record)) {
          if (sent++ >= deps.eventsUntilDrop()) {
            deps.onDropped()
            drop(status.ABORTED)
            return
          }
          if (!call.write(eventMessage(record))) await drained(call)
        } else if (filter.checkpointEvery && ++sinceCheckpoint >= filter.checkpointEvery) {
          sinceCheckpoint = 0
          call.write(checkpointMessage(record.position))
        }
      }
      if (!ended && !live && !deps.isHeld() && next >= records().length) {
        live = true
        const caughtUp = new messages.ReadResp()
        caughtUp.setCaughtUp(new messages.ReadResp.CaughtUp())
        call.write(caughtUp)
      }
    } finally {
      sending = false
    }
  }

  function drop(code: number): void {
    if (ended) return
    end()
    const details = code === status.ABORTED ? 'Consumer too slow, resubscription required' : 'dropped'
    call.emit('error', failed(code, details))
  }

  return {
    start() {
      const confirmation = new messages.ReadResp()
      const confirmed = new messages.ReadResp.SubscriptionConfirmation()
      confirmed.setSubscriptionId(randomUUID())
      confirmation.setConfirmation(confirmed)
      call.write(confirmation)
      void send()
    },
    /** Something was appended. */
    offer() {
      if (live && !deps.isHeld() && records().length - next > liveBuffer) {
        const last = next + liveBuffer
        for (; next < last; next++)
          if (filter.passes(records()[next]!)) call.write(eventMessage(records()[next]!))
        deps.onDropped()
        drop(status.ABORTED)
      } else void send()
    },
    mute: end,
    drop,
  }
}

function checkpointMessage(position: bigint): ReadResp {
  const message = new messages.ReadResp()
  const checkpoint = new messages.ReadResp.Checkpoint()
  checkpoint.setCommitPosition(String(position))
  checkpoint.setPreparePosition('0')
  message.setCheckpoint(checkpoint)
  return message
}

/** An error as the server sends it: facts travel in the call's trailing metadata. */
export function failed(code: number, details: string, facts: Record<string, string> = {}): ServiceError {
  const metadata = new Metadata()
  for (const [key, value] of Object.entries(facts)) metadata.set(key, value)
  return Object.assign(new Error(details), { code, details, metadata })
}

export const drained = (call: ServerWritableStream<ReadReq, ReadResp>): Promise<void> =>
  new Promise((settle) => {
    const done = () => {
      call.off('drain', done)
      call.off('close', done)
      call.off('cancelled', done)
      settle()
    }
    call.once('drain', done)
    call.once('close', done)
    call.once('cancelled', done)
  })
