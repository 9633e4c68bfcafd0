/** `report.html` held against the events: written anew from what is proven, and compared byte by byte. */
import { equalBytes, fromUtf8, utf8 } from './bytes.ts'
import type { Context } from './context.ts'
import type { Reading } from './events.ts'
import { reportPieces } from './report.ts'
import { visible } from './visible.ts'

const shown = 200

/** Names the first piece that differs, and the event it is about. */
export async function checkReport({ extract, manifest, findings, platform }: Context, reading: Reading) {
  const member = 'report.html'
  const hasher = platform.sha256()
  for (const { html } of reportPieces(manifest, reading.facts)) hasher.update(utf8(html))
  const expected = hasher.digest()
  const found = platform.sha256()
  for await (const chunk of extract.bytes(member)) found.update(chunk)
  if (equalBytes(found.digest(), expected)) return
  const actual = extract.bytes(member)[Symbol.asyncIterator]()
  let held: Uint8Array = new Uint8Array(0)
  try {
    for (const { html, about, event } of reportPieces(manifest, reading.facts)) {
      const bytes = utf8(html)
      while (held.length < bytes.length) {
        const { done, value } = await actual.next()
        if (done) break
        held = joined(held, value)
      }
      if (equalBytes(held.subarray(0, bytes.length), bytes)) {
        held = held.subarray(bytes.length)
        continue
      }
      const instead = fromUtf8(held.subarray(0, Math.min(held.length, bytes.length)))
      const says = instead === undefined ? 'something else' : `“${clipped(textIn(instead))}”`
      const message = `${member} says ${says} where the events give “${clipped(about)}”`
      findings.fail('renderings', message, event ? { event } : { member })
      return
    }
    findings.fail('renderings', 'it goes on after its end', { member })
  } finally {
    await actual.return?.()
  }
}

const textIn = (html: string): string =>
  html
    .replace(/<[^>]*>?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()

const clipped = (text: string): string => visible(text.length > shown ? `${text.slice(0, shown)}…` : text)

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const whole = new Uint8Array(a.length + b.length)
  whole.set(a)
  whole.set(b, a.length)
  return whole
}
