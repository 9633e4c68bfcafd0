/** What keeps an embedded server from running, in one line that says what to do where we know it. */
export class EmbeddedPostgresError extends Error {
  readonly code = 'embedded-postgres'
  constructor(
    readonly folder: string,
    readonly finding: string,
  ) {
    super(`the embedded Postgres in ${folder}: ${finding}`)
  }
}
