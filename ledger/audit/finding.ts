/** What the continuous check found: something that is not as it was sealed. */
export type AuditFinding = {
  readonly kind: 'event' | 'bundle' | 'tile' | 'checkpoint' | 'read-model'
  /** What differs: stream, revision and position; tile coordinates and entry; table and key. */
  readonly subject: string
  /** How it differs, in words; never the content of a record. */
  readonly finding: string
}

export const eventSubject = (event: {
  readonly stream: string
  readonly revision: bigint | string
  readonly position: bigint
}): string => `${event.stream} revision ${event.revision} at position ${event.position}`
