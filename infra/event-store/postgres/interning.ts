/** Short numbers of event types and reading templates, learnt once and kept: they never change. */
import type { Pool } from '../../postgres/pool.ts'
import type { ReadingTemplate } from './reading-row.ts'

export type Interning = {
  /** Makes sure that these types and templates have numbers. */
  prepare(types: readonly string[], templates: readonly string[]): Promise<void>
  typeId(type: string): number
  templateId(template: string): number
  /** Makes sure that these numbers are known for reading. */
  learn(typeIds: Iterable<number>, templateIds: Iterable<number>): Promise<void>
  typeName(id: number): string
  template(id: number): ReadingTemplate
}

export function createInterning(pool: Pool): Interning {
  const typeIds = new Map<string, number>()
  const typeNames = new Map<number, string>()
  const templateIds = new Map<string, number>()
  const templates = new Map<number, ReadingTemplate>()

  const known = <Key, Value>(map: Map<Key, Value>, key: Key): Value => {
    const value = map.get(key)
    if (value === undefined) throw new Error(`${String(key)} was not interned`)
    return value
  }

  return {
    prepare: async (types, wanted) => {
      for (const type of new Set(types))
        if (!typeIds.has(type)) {
          const { rows } = await pool.query<{ id: number }>('SELECT event_store.intern_type($1) AS id', [
            type,
          ])
          typeIds.set(type, rows[0]!.id)
        }
      const missing = new Set(wanted.filter((template) => !templateIds.has(template)))
      if (missing.size === 0) return
      const { rows } = await pool.query<{ client: string; id: number }>(
        'SELECT client, event_store.intern_template(client) AS id FROM unnest($1::text[]) AS client',
        [[...missing]],
      )
      for (const { client, id } of rows) templateIds.set(client, id)
    },
    typeId: (type) => known(typeIds, type),
    templateId: (template) => known(templateIds, template),
    learn: async (types, wanted) => {
      const newTypes = [...new Set(types)].filter((id) => !typeNames.has(id))
      if (newTypes.length > 0) {
        const { rows } = await pool.query<{ type_id: number; name: string }>(
          'SELECT type_id, name FROM event_store.event_type WHERE type_id = ANY ($1)',
          [newTypes],
        )
        for (const { type_id, name } of rows) typeNames.set(type_id, name)
      }
      const newTemplates = [...new Set(wanted)].filter((id) => !templates.has(id))
      if (newTemplates.length > 0) {
        const { rows } = await pool.query<{ template_id: number; client: string }>(
          'SELECT template_id, client FROM event_store.reading_template WHERE template_id = ANY ($1)',
          [newTemplates],
        )
        for (const { template_id, client } of rows)
          templates.set(template_id, JSON.parse(client) as ReadingTemplate)
      }
    },
    typeName: (id) => known(typeNames, id),
    template: (id) => known(templates, id),
  }
}
