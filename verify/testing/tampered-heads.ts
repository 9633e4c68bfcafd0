/** Tampering with the statement of every stream's head. */
import { canonicalJson } from '../../schemas/canonical-json.ts'
import { type JsonRecord, linesOf, type Members, setLines } from './extract-file.ts'
import { changed, resealed, textIn } from './member-edits.ts'
import type { TamperCase } from './tamper-case.ts'

const editRecord =
  (edit: (record: JsonRecord) => void, nth = 1) =>
  (members: Members) => {
    const lines = linesOf(members, 'heads.ndjson')
    const record = JSON.parse(lines[nth] as string) as JsonRecord
    edit(record)
    lines[nth] = canonicalJson(record)
    setLines(members, lines, 'heads.ndjson')
  }
const editLines = (edit: (lines: string[]) => string[]) => (members: Members) =>
  setLines(members, edit(linesOf(members, 'heads.ndjson')), 'heads.ndjson')
const otherHash = Buffer.alloc(32, 9).toString('base64')

export const tamperedHeads: readonly TamperCase[] = [
  changed(
    "a stream's count",
    'completeness',
    resealed(editRecord((record) => void Object.assign(record, { count: String(Number(record.count) + 1) }))),
  ),
  changed(
    'two counts that still sum up',
    'completeness',
    resealed((members) => {
      editRecord(
        (record) => void Object.assign(record, { count: String(Number(record.count) + 1) }),
        1,
      )(members)
      editRecord(
        (record) => void Object.assign(record, { count: String(Number(record.count) - 1) }),
        2,
      )(members)
    }),
  ),
  changed(
    "a stream's last index",
    'completeness',
    resealed(
      editRecord((record) => void Object.assign(record, { lastIndex: String(Number(record.lastIndex) - 1) })),
    ),
  ),
  changed(
    "a stream's last leaf",
    'completeness',
    resealed(editRecord((record) => void Object.assign(record, { lastLeafHash: otherHash }))),
  ),
  changed(
    "a stream's key",
    'completeness',
    resealed(editRecord((record) => void Object.assign(record, { streamKey: otherHash }))),
  ),
  changed(
    'a field more in a record',
    'completeness',
    resealed(editRecord((record) => void Object.assign(record, { stream: 'x' }))),
  ),
  changed('a record left out', 'completeness', resealed(editLines((lines) => lines.slice(1)))),
  changed(
    'two records exchanged',
    'completeness',
    resealed(editLines(([a, b, ...rest]) => [b as string, a as string, ...rest])),
  ),
  changed('a record twice', 'completeness', resealed(editLines((lines) => [lines[0] as string, ...lines]))),
  changed(
    'no records',
    'completeness',
    resealed((members) => void members.set('heads.ndjson', Buffer.alloc(0))),
  ),
  changed(
    'the heads left out',
    'completeness',
    resealed((members) => void members.delete('heads.ndjson')),
  ),
  changed(
    'the heads altered by anybody',
    'manifest',
    textIn('heads.ndjson', (text) => `${text}\n`),
  ),
]
