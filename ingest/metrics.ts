/** Plain numbers that others read whenever they want; counting costs an addition. */
export type IngestMetrics = {
  /** Messages handed over by the source. */
  messages: number
  readings: { received: number; stored: number; duplicate: number; quarantined: number }
  /** Old messages that the broker kept: no measurements, so they are not counted as received. */
  retainedIgnored: number
  alarms: number
  gaps: number
  clockSteps: number
  appends: number
  appendRetries: number
  accountings: number
  statements: number
  /** Messages not acknowledged yet, and the readings they claim. */
  messagesInFlight: number
  readingsInFlight: number
  openStreams: number
  /** From arrival to acknowledgement of the message acknowledged last, ms. */
  lastLagMs: number
}

export const ingestMetrics = (): IngestMetrics => ({
  messages: 0,
  readings: { received: 0, stored: 0, duplicate: 0, quarantined: 0 },
  retainedIgnored: 0,
  alarms: 0,
  gaps: 0,
  clockSteps: 0,
  appends: 0,
  appendRetries: 0,
  accountings: 0,
  statements: 0,
  messagesInFlight: 0,
  readingsInFlight: 0,
  openStreams: 0,
  lastLagMs: 0,
})
