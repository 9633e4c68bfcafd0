/** Why no extract could be made; the facts say of which batch, stream or size. */
export type ExtractErrorCode =
  | 'unknown-batch'
  | 'no-checkpoint'
  | 'not-covered'
  | 'not-stated'
  | 'not-verified'
  | 'no-heads-statement'
  | 'payload-missing'
  | 'key-reused'
  | 'export-key'
  | 'aborted'

export class ExtractError extends Error {
  constructor(
    readonly code: ExtractErrorCode,
    message: string,
    readonly facts: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}
