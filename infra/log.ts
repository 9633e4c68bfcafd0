/** Structured JSON logs on stderr (stdout belongs to the command's own answer). Record data never enter them. */
import { type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

export function createLogger(level: (typeof logLevels)[number]): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2))
}
