/** The machine's clock as a dependency: nothing below the services reads time by itself. */
import type { Instant } from '../schemas/event.ts'

export type Clock = { readonly nowMs: () => number }

export const systemClock: Clock = { nowMs: () => Date.now() }

export const toInstant = (unixMs: number): Instant => new Date(unixMs).toISOString()
