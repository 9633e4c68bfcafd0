/** Who may give which command: the permission matrix, as data (authority checks, 21 CFR 11.10(g)). */
import type { BatchCommand } from './commands.ts'

export const roles = ['technician', 'process_engineer', 'qa', 'auditor', 'admin'] as const
export type Role = (typeof roles)[number]

const everyOperator: readonly Role[] = ['technician', 'process_engineer', 'admin']
const engineers: readonly Role[] = ['process_engineer', 'admin']

export const permissions: Readonly<Record<BatchCommand['kind'], readonly Role[]>> = {
  create: everyOperator,
  inoculate: everyOperator,
  sample: everyOperator,
  close: engineers,
  abort: engineers,
}

/** An inoculum outside the window needs one of these. */
export const inoculumOverrideRoles: readonly Role[] = ['process_engineer']
