/** What rows name by number and never changes: streams' names and reading templates. Read when first met, then kept. */
import type { ReadingTemplate } from '../prepare-append.ts'
import type { Row } from './session.ts'
import { type Statement, statements } from './statements.ts'

export type RunStatement = (statement: Statement, values?: readonly unknown[]) => Promise<readonly Row[]>

export type Dictionary = {
  /** Afterwards `streamName` and `template` know everything that these keys name. */
  load(run: RunStatement, streamKeys: ReadonlySet<string>, templateIds: ReadonlySet<string>): Promise<void>
  streamName(key: string): string
  template(id: string): ReadingTemplate
  hasStream(key: string): boolean
  hasTemplate(id: string): boolean
}

const entriesKept = 500_000

export function dictionary(): Dictionary {
  const names = new Map<string, string>()
  const templates = new Map<string, ReadingTemplate>()

  return {
    async load(run, streamKeys, templateIds) {
      if (streamKeys.size > 0) {
        if (names.size + streamKeys.size > entriesKept) names.clear()
        for (const [key, name] of await run(statements.streamNames, [[...streamKeys]]))
          names.set(key as string, name as string)
      }
      if (templateIds.size > 0) {
        if (templates.size + templateIds.size > entriesKept) templates.clear()
        for (const [id, content] of await run(statements.templates, [[...templateIds]]))
          templates.set(id as string, JSON.parse(content as string) as ReadingTemplate)
      }
    },
    streamName: (key) => found(names.get(key), 'stream', key),
    template: (id) => found(templates.get(id), 'template', id),
    hasStream: (key) => names.has(key),
    hasTemplate: (id) => templates.has(id),
  }
}

function found<Value>(value: Value | undefined, kind: string, key: string): Value {
  if (value === undefined) throw new Error(`the event store's ${kind} ${key} is missing`)
  return value
}
