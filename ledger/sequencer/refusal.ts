/** The log must not go on: signing now could contradict what was signed before. People decide what to do. */
export class LedgerRefusedError extends Error {
  readonly code = 'ledger-refused'
  constructor(
    readonly finding: string,
    options?: ErrorOptions,
  ) {
    super(`the ledger refuses to sign: ${finding}`, options)
  }
}

const codesOfRefusal = new Set([
  'ledger-refused',
  'ledger-key',
  'store-replaced',
  'event-out-of-order',
  'tile-missing',
  'entry-missing',
  'leaf',
  'not-canonical',
  'heads',
])

/** Errors that trying again cannot heal. */
export function isRefusal(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && codesOfRefusal.has(code)
}
