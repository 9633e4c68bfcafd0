/**
 * A STAND-IN FOR TESTS, not EventStoreDB: a small gRPC server in this process, on the definitions that ship with
 * `@eventstore/db-client`, with faults that can be switched on. It does what a real 23.10.6 was observed to do where
 * the adapter depends on it; where it differs it is the harsher one (a live subscription is dropped as soon as more
 * than 64 events wait). What it shows is no evidence about EventStoreDB: for that, run the contract suite against a
 * real server with `BIOLEDGER_TEST_EVENTSTORE=esdb://…`.
 */
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import features from '@eventstore/db-client/generated/serverfeatures_pb.js'
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type {
  AppendReq,
  AppendResp,
  DeleteReq,
  DeleteResp,
  ReadReq,
  ReadResp,
  TombstoneReq,
  TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb.js'
import messages from '@eventstore/db-client/generated/streams_pb.js'
import {
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { type AppendAnswer, type LogRecord, type Proposed, standInLog } from './stand-in-log.ts'
import {
  appendedMessage,
  eventMessage,
  filterOf,
  notFoundMessage,
  proposedOf,
  readRange,
  requestedStream,
  wrongRevisionMessage,
} from './stand-in-messages.ts'
import { drained, failed, type LiveSubscription, liveSubscription } from './stand-in-subscription.ts'

export type StandIn = {
  readonly url: string
  readonly port: number
  /** All records, system events included. */
  records(): readonly LogRecord[]
  /** Ends all connections at once, as a kill does; the file, if any, stays. */
  kill(): Promise<void>
  /** The next appends are stored, and the connection breaks before their answer. */
  loseAcknowledgements(count: number): void
  /** The next appends are stored and never answered. */
  neverAnswer(count: number): void
  /** The next appends fail with this gRPC code and nothing is stored. */
  refuseAppends(count: number, code: number): void
  /** No call is answered until `thaw`; what came in the meantime is done then, also for callers long gone. */
  freeze(): void
  thaw(): void
  /** Every call fails as while the server starts. */
  setReady(ready: boolean): void
  /** Ends every subscription with this gRPC code; ABORTED (10) is the server's "consumer too slow". */
  dropSubscriptions(code: number): void
  /** From now on each subscription is dropped as too slow after so many events. */
  dropSubscriptionsAfter(events: number): void
  /** Subscriptions get nothing until resumed, without an error. */
  pauseSubscriptions(): void
  resumeSubscriptions(): void
  /** The subscriptions open now get nothing more, for ever and without an error; new ones work. */
  muteSubscriptions(): void
  /** Milliseconds added to the server's clock. */
  setClockOffset(milliseconds: number): void
  setStreamMetadata(stream: string, json: string): void
  softDelete(stream: string): void
  tombstone(stream: string): void
  /** Written by somebody else than the adapter. */
  appendForeign(stream: string, events: readonly Proposed[]): void
  readonly counts: { readonly appends: number; readonly dropped: number; readonly openSubscriptions: number }
}

export async function startEventStoreDbStandIn(
  options: { readonly port?: number; readonly file?: string } = {},
): Promise<StandIn> {
  let clockOffset = 0
  const log = standInLog({ file: options.file, nowMs: () => Date.now() + clockOffset })
  const subscriptions = new Set<LiveSubscription>()
  const counts = { appends: 0, dropped: 0, openSubscriptions: 0 }
  let lostAcknowledgements = 0
  let unanswered = 0
  let refusals: { left: number; readonly code: number } = { left: 0, code: 0 }
  let ready = true
  let paused = false
  let eventsUntilDrop = Number.POSITIVE_INFINITY
  let frozen: (() => void)[] | undefined

  const whenThawed = (work: () => void) => {
    if (frozen) frozen.push(work)
    else work()
  }
  const publish = (written: readonly LogRecord[]) => {
    if (written.length > 0) for (const subscription of [...subscriptions]) subscription.offer()
  }

  function append(
    call: ServerReadableStream<AppendReq, AppendResp>,
    answer: sendUnaryData<AppendResp>,
  ): void {
    const requests: AppendReq[] = []
    call.on('error', () => {})
    call.on('data', (request: AppendReq) => requests.push(request))
    call.on('end', () => whenThawed(() => appendNow(requests, answer)))
  }

  function appendNow(requests: readonly AppendReq[], answer: sendUnaryData<AppendResp>): void {
    if (!ready) {
      answer(failed(status.UNAVAILABLE, 'Server Is Not Ready'))
      return
    }
    if (refusals.left > 0) {
      refusals.left--
      answer(failed(refusals.code, 'refused by the stand-in'))
      return
    }
    counts.appends++
    const { stream, expected } = requestedStream(requests[0]?.getOptions())
    const events = requests.flatMap((request) => proposedOf(request.getProposedMessage()))
    const result = log.append(stream, expected, events)
    if (result.kind === 'success') publish(result.written)
    if (unanswered > 0) {
      unanswered--
    } else if (lostAcknowledgements > 0) {
      lostAcknowledgements--
      answer(failed(status.UNAVAILABLE, 'connection lost by the stand-in'))
    } else if (result.kind === 'success') answer(null, appendedMessage(result.revision, result.position))
    else if (result.kind === 'wrong-revision') answer(null, wrongRevisionMessage(expected, result.actual))
    else answer(refusalOf(stream, result))
  }

  function read(call: ServerWritableStream<ReadReq, ReadResp>): void {
    call.on('error', () => {})
    whenThawed(() => {
      const request = call.request.getOptions()
      const stream = request?.getStream() && requestedStream(request.getStream()).stream
      if (!ready || !request) call.emit('error', failed(status.UNAVAILABLE, 'Server Is Not Ready'))
      else if (request.hasSubscription()) subscribe(call, request)
      else if (stream !== undefined && log.isTombstoned(stream)) call.emit('error', deleted(stream))
      else if (stream !== undefined && !log.exists(stream)) {
        call.write(notFoundMessage(stream))
        call.end()
      } else {
        const range = readRange(request, log, stream)
        if (range) void writeAll(call, range)
        else call.emit('error', noSuchPosition())
      }
    })
  }

  async function writeAll(call: ServerWritableStream<ReadReq, ReadResp>, records: Iterable<LogRecord>) {
    for (const record of records) {
      if (call.cancelled || call.destroyed) return
      if (!call.write(eventMessage(record))) await drained(call)
    }
    call.end()
  }

  function subscribe(call: ServerWritableStream<ReadReq, ReadResp>, request: ReadReq.Options): void {
    const position = request.getAll()?.getPosition()
    let after: number
    if (request.getAll()?.hasEnd()) after = log.records().length
    else if (!position) after = 0
    else {
      const commit = BigInt(position.getCommitPosition())
      const at = log.indexOf(commit)
      if (at === undefined)
        return void call.emit('error', failed(status.UNKNOWN, 'no record begins at that position'))
      // Far beyond the end is no error: the subscription waits there.
      after = log.records()[at]?.position === commit ? at + 1 : at
    }
    const subscription = liveSubscription({
      call,
      next: after,
      filter: filterOf(request),
      records: log.records,
      isHeld: () => paused || frozen !== undefined,
      eventsUntilDrop: () => eventsUntilDrop,
      onDropped: () => counts.dropped++,
      onEnd: () => {
        if (subscriptions.delete(subscription)) counts.openSubscriptions--
      },
    })
    subscriptions.add(subscription)
    counts.openSubscriptions++
    subscription.start()
  }

  const remove = (stream: string, permanently: boolean) =>
    publish(permanently ? log.tombstone(stream) : log.softDelete(stream))

  const server = new Server()
  server.addService(streamsService.StreamsService, {
    read,
    append,
    delete: (call: ServerUnaryCall<DeleteReq, DeleteResp>, answer: sendUnaryData<DeleteResp>) => {
      remove(requestedStream(call.request.getOptions()).stream, false)
      answer(null, new messages.DeleteResp())
    },
    tombstone: (call: ServerUnaryCall<TombstoneReq, TombstoneResp>, answer: sendUnaryData<TombstoneResp>) => {
      remove(requestedStream(call.request.getOptions()).stream, true)
      answer(null, new messages.TombstoneResp())
    },
    // The server has it, the adapter must not use it.
    batchAppend: (call: ServerWritableStream<unknown, unknown>) => {
      call.emit('error', failed(status.UNIMPLEMENTED, 'the stand-in takes unary appends only'))
    },
  })
  server.addService(featuresService.ServerFeaturesService, {
    getSupportedMethods: (_: unknown, answer: sendUnaryData<unknown>) =>
      whenThawed(() => {
        if (!ready) {
          answer(failed(status.UNAVAILABLE, 'Server Is Not Ready'))
          return
        }
        const supported = new features.SupportedMethods()
        supported.setEventStoreServerVersion('0.0.0-stand-in')
        for (const name of ['read', 'append', 'delete', 'tombstone', 'batchappend']) {
          const method = new features.SupportedMethod()
          method.setServiceName('event_store.client.streams.streams')
          method.setMethodName(name)
          supported.addMethods(method)
        }
        answer(null, supported)
      }),
  })
  const port = await new Promise<number>((settle, fail) =>
    server.bindAsync(`127.0.0.1:${options.port ?? 0}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? fail(error) : settle(bound),
    ),
  )

  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    port,
    records: log.records,
    async kill() {
      server.forceShutdown()
    },
    loseAcknowledgements: (count) => {
      lostAcknowledgements = count
    },
    neverAnswer: (count) => {
      unanswered = count
    },
    refuseAppends: (left, code) => {
      refusals = { left, code }
    },
    freeze: () => {
      frozen ??= []
    },
    thaw: () => {
      const held = frozen ?? []
      frozen = undefined
      for (const work of held) work()
      for (const subscription of [...subscriptions]) subscription.offer()
    },
    setReady: (is) => {
      ready = is
      if (!is) for (const subscription of [...subscriptions]) subscription.drop(status.UNAVAILABLE)
    },
    dropSubscriptions: (code) => {
      for (const subscription of [...subscriptions]) subscription.drop(code)
    },
    dropSubscriptionsAfter: (events) => {
      eventsUntilDrop = events
    },
    pauseSubscriptions: () => {
      paused = true
    },
    resumeSubscriptions: () => {
      paused = false
      for (const subscription of [...subscriptions]) subscription.offer()
    },
    muteSubscriptions: () => {
      for (const subscription of [...subscriptions]) subscription.mute()
    },
    setClockOffset: (milliseconds) => {
      clockOffset = milliseconds
    },
    setStreamMetadata: (stream, json) => publish(log.setMetadata(stream, json)),
    softDelete: (stream) => remove(stream, false),
    tombstone: (stream) => remove(stream, true),
    appendForeign: (stream, events) => {
      const result = log.append(stream, 'any', events)
      if (result.kind === 'success') publish(result.written)
    },
    counts,
  }
}

function refusalOf(
  stream: string,
  result: Exclude<AppendAnswer, { kind: 'success' } | { kind: 'wrong-revision' }>,
): ServiceError {
  switch (result.kind) {
    case 'too-large':
      return failed(status.INVALID_ARGUMENT, 'Maximum Append Size Exceeded', {
        exception: 'maximum-append-size-exceeded',
        'maximum-append-size': String(result.limit),
      })
    case 'deleted':
      return deleted(stream)
    case 'bad-request':
      return failed(status.UNKNOWN, 'BadRequest')
  }
}

const noSuchPosition = (): ServiceError => failed(status.UNKNOWN, 'no record begins at that position')

const deleted = (stream: string): ServiceError =>
  failed(status.FAILED_PRECONDITION, `stream ${stream} is deleted`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  })
