/**
 * Time stamps: the manifest's list is the log's own, and each RFC 3161 token in the extract is the one whose digest its
 * event states. The signature of the authority inside a token is for `openssl ts -verify`: VERIFY.txt says how.
 */
import { toBase64 } from './bytes.ts'
import type { JsonObject } from './canonical.ts'
import type { Context } from './context.ts'
import type { Reading } from './events.ts'

export async function checkTokens(
  { extract, manifest, findings, platform }: Context,
  reading: Reading,
): Promise<void> {
  const spelt = (stamps: readonly JsonObject[]) =>
    stamps.map(({ index, size, stampedAt }) => `${index} ${size} ${stampedAt}`).join('\n')
  if (spelt(reading.stamps) !== spelt(manifest.stamps))
    findings.fail('times', "its time stamps are not those of the log's", { member: 'manifest.json' })
  const stated = new Set(reading.stamps.map(({ size, tokenSha256 }) => `${size} ${tokenSha256}`))
  let tokens = 0
  for (const name of extract.names) {
    const [, size] = /^timestamp-(\d+)\.tsr$/.exec(name) ?? []
    if (size === undefined) continue
    tokens++
    const digest = toBase64(platform.hash(await extract.whole(name)))
    if (!stated.has(`${size} ${digest}`))
      findings.fail('times', 'no time stamp of the log is this token', { member: name })
  }
  if (reading.stamps.length === 0)
    findings.skip(
      'times',
      'no time stamp is in the log; recorded times never step back in the order of the log',
    )
  else
    findings.note(
      'times',
      `${reading.stamps.length} time stamps, ${tokens} tokens; the authority's own signature is for openssl (VERIFY.txt)`,
    )
}
