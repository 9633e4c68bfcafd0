/**
 * Where sensor messages come from. A source hands each message over and acknowledges it to its sender only when
 * the promise it got back resolves: then the message is durable. A promise that never resolves (we were killed)
 * is a message that is delivered again.
 */
export type SensorMessage = {
  readonly topic: string
  readonly payload: Buffer
  /** Sent again by its sender or the broker, which does not know whether the first copy arrived. */
  readonly dup: boolean
  /** An old message that the broker kept and gives to a new subscriber: no measurement of now. */
  readonly retained: boolean
  /** When it reached us, ms since the epoch. */
  readonly receivedAtMs: number
  /** W3C trace context from the user properties of an MQTT 5 message. */
  readonly traceparent?: string
}

/** Resolves when the message is durable; never rejects. */
export type Deliver = (message: SensorMessage) => Promise<void>

export type MessageSource = {
  /** Resolves when messages can flow. */
  start(deliver: Deliver): Promise<void>
  /** Whether senders can reach us: while they cannot, their silence says nothing about them. */
  isConnected(): boolean
  /** Takes no more messages; those handed over before are still acknowledged when their promises resolve. */
  pause(): void
  /** Disconnects. What is not acknowledged by then will be delivered again. */
  stop(): Promise<void>
}
