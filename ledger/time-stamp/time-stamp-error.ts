/** Why a time stamp was not taken; `reason` is what a program may look at. */
export type TimeStampReason =
  | 'unreachable'
  | 'malformed'
  | 'rejected'
  | 'nonce'
  | 'imprint'
  | 'policy'
  | 'signature'
  | 'certificate'

export class TimeStampError extends Error {
  readonly code = 'time-stamp'
  constructor(
    readonly reason: TimeStampReason,
    readonly rule: string,
    options?: ErrorOptions,
  ) {
    super(`time stamp refused (${reason}): ${rule}`, options)
  }
}
