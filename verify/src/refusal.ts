/** Something in the extract is not as the format demands; the message says what, for a person. */
export class Refusal extends Error {
  readonly code = 'refusal'
  constructor(
    message: string,
    /** Whether it is what a person typed that differs from its digest, rather than the form of the event. */
    readonly isPayload = false,
  ) {
    super(message)
  }
}
