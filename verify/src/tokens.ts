/**
 * Time stamps: the manifest's list is the log's own, and each RFC 3161 token in the extract is the one whose digest, imprint
 * and time its event states. The authority's signature inside a token is for `openssl ts -verify`: VERIFY.txt says how.
 */
import { toBase64 } from './bytes.ts'
import type { JsonObject } from './canonical.ts'
import type { Context } from './context.ts'
import type { Reading } from './events.ts'
import { Refusal } from './refusal.ts'
import { readToken } from './time-stamp-token.ts'

export async function checkTokens(
  { extract, manifest, findings, platform }: Context,
  { stamps, deviations }: Reading,
): Promise<void> {
  const spelt = (all: readonly JsonObject[]) =>
    all.map(({ index, size, stampedAt }) => `${index} ${size} ${stampedAt}`).join('\n')
  if (spelt(stamps) !== spelt(manifest.stamps))
    findings.fail('times', "its time stamps are not those of the log's", { member: 'manifest.json' })
  const stated = new Map(stamps.map((stamp) => [`${stamp.size} ${stamp.tokenSha256}`, stamp]))
  let tokens = 0
  for (const name of extract.names) {
    const [, size] = /^timestamp-(\d+)\.tsr$/.exec(name) ?? []
    if (size === undefined) continue
    tokens++
    try {
      const token = await extract.whole(name)
      const stamp = stated.get(`${size} ${toBase64(platform.hash(token))}`)
      if (!stamp) throw new Refusal('no time stamp of the log is this token')
      const { imprint, stampedAt } = readToken(token)
      if (imprint !== stamp.imprint || stampedAt !== stamp.stampedAt)
        throw new Refusal(`it is over another digest, or of another time (${stampedAt}), than its event says`)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      findings.fail('times', error.message, { member: name })
    }
  }
  const noted =
    deviations.count > 0
      ? `; DEVIATION of clocks, noted at ${deviations.count} events: ${deviations.first}`
      : ''
  if (tokens === 0)
    findings.skip(
      'times',
      `${stamps.length} time stamps in the log, none of their tokens in the extract; recorded times never step back in the order of the log${noted}`,
    )
  else
    findings.note(
      'times',
      `${stamps.length} time stamps, ${tokens} tokens that say the same; the authority's own signature is for openssl (VERIFY.txt)${noted}`,
    )
}
