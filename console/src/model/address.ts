/** What the page shows lives in its address: `?batch=<id>` and `?asOf=<instant>`; "live" is neither. */
import { readTypedInstant } from './time.ts'

export type Address = {
  readonly batchId: string | null
  /** The record as it was known then; null: live. */
  readonly asOfMs: number | null
  /** Why the `asOf` in the address could not be read. */
  readonly refused: string | null
}

export function readAddress(search: string): Address {
  const parameters = new URLSearchParams(search)
  const batchId = parameters.get('batch') || null
  const text = parameters.get('asOf')
  if (!text) return { batchId, asOfMs: null, refused: null }
  const read = readTypedInstant(text, 'UTC')
  return read.kind === 'instant'
    ? { batchId, asOfMs: read.ms, refused: null }
    : { batchId, asOfMs: null, refused: `asOf=${text}: ${read.rule}` }
}

export function writeAddress(address: { batchId: string | null; asOfMs: number | null }): string {
  const parameters = new URLSearchParams()
  if (address.batchId) parameters.set('batch', address.batchId)
  if (address.asOfMs !== null) parameters.set('asOf', new Date(address.asOfMs).toISOString())
  const text = parameters.toString().replaceAll('%3A', ':')
  return text ? `?${text}` : ''
}
