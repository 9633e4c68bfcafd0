/**
 * A failure that the caller can name to a person: a code, one plain line, and the facts. Wrong input, a refused
 * command, a broker that cannot be reached; never a stack trace.
 */
export type SimulationErrorCode =
  | 'unknown-preset'
  | 'broker-unreachable'
  | 'aborted'
  | 'api-refused'
  | 'api-unreachable'
  | 'not-stored'
  | 'bad-map'
  | 'bad-file'
  | 'bad-options'

export class SimulationError extends Error {
  constructor(
    readonly code: SimulationErrorCode,
    line: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(line)
  }
}
