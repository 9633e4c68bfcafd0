/** The SQL of the adapter: one statement a file of `queries/`, prepared once a connection under the file's name. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Statement = { readonly name: string; readonly text: string }

const statement = (name: string): Statement => ({
  name,
  text: readFileSync(join(import.meta.dirname, 'queries', `${name}.sql`), 'utf8'),
})

export const statements = {
  append: statement('append'),
  byIds: statement('by-ids'),
  head: statement('head'),
  horizon: statement('horizon'),
  internTemplates: statement('intern-templates'),
  lockAppends: statement('lock-appends'),
  page: statement('page'),
  pageFiltered: statement('page-filtered'),
  pageGeneral: statement('page-general'),
  passInstant: statement('pass-instant'),
  recordedAt: statement('recorded-at'),
  salts: statement('salts'),
  storeId: statement('store-id'),
  streamBackwards: statement('stream-backwards'),
  streamForwards: statement('stream-forwards'),
  streamNames: statement('stream-names'),
  streamStates: statement('stream-states'),
  templates: statement('templates'),
} as const
