/** A real broker as a test has it: it can be killed like a power cut and started again on the same data. */
export type TestBroker = {
  /** `host:port`, the same after every start. */
  readonly brokers: readonly string[]
  /** Ends it without notice; what it had not flushed stays in the system's cache. */
  kill(): Promise<void>
  /** After `kill`, on the same data; resolves when it answers. */
  start(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}
