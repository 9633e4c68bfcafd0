/** What the page shows lives in its address: `?batch=<id>` and `?asOf=<instant>`; "live" is neither. */
import { readTypedInstant } from './time.ts'

export type Address = {
  readonly batchId: string | null
  /** The record as it was known then; null: live. */
  readonly asOfMs: number | null
  /** Why what the address asks for is not shown. */
  readonly refused: { readonly title: string; readonly words: string } | null
}

export function readAddress(search: string): Address {
  const parameters = new URLSearchParams(search)
  const batchId = parameters.get('batch') || null
  const position = parameters.get('asOfPosition')
  if (position !== null)
    return {
      batchId,
      asOfMs: null,
      refused: {
        title: 'This page looks back to an instant, not to a position',
        words: `asOfPosition=${position}: write asOf=<instant> instead; the record at a position is answered by the HTTP API`,
      },
    }
  const text = parameters.get('asOf')
  if (!text) return { batchId, asOfMs: null, refused: null }
  const read = readTypedInstant(text, 'UTC')
  return read.kind === 'instant'
    ? { batchId, asOfMs: read.ms, refused: null }
    : {
        batchId,
        asOfMs: null,
        refused: {
          title: 'The instant in the address cannot be read',
          words: `asOf=${text}: ${read.rule}`,
        },
      }
}

export function writeAddress(address: { batchId: string | null; asOfMs: number | null }): string {
  const parameters = new URLSearchParams()
  if (address.batchId) parameters.set('batch', address.batchId)
  if (address.asOfMs !== null) parameters.set('asOf', new Date(address.asOfMs).toISOString())
  const text = parameters.toString().replaceAll('%3A', ':')
  return text ? `?${text}` : ''
}
