/** Something of the log lies in the database otherwise than it was sealed: it must not be given out. */
export class NotAsSealedError extends Error {
  readonly code = 'not-as-sealed'
  constructor(
    /** The tile, bundle or checkpoint, as far as it can be told. */
    readonly subject: string,
    /** How it differs, in words; never the content of a record. */
    readonly finding: string,
  ) {
    super(`${subject} is not as it was sealed: ${finding}`)
  }
}
