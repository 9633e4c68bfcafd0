/** A model that cannot be used as it lies there: which file, what was stated and what was found. */
export class ModelError extends Error {
  constructor(
    readonly code: 'unreadable' | 'schema' | 'hash-mismatch' | 'feature-schema' | 'heads' | 'shape',
    message: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.name = 'ModelError'
  }
}
