/**
 * Time stamps: the manifest's list is the log's own; each RFC 3161 token in the extract is the one whose digest, imprint and
 * time its event states, over a checkpoint that the extract's own one continues; and the authority signed it, as far as the
 * person who verifies gave its certificate or that of who vouches for it.
 */
import { fromBase64, fromUtf8, toBase64, utf8 } from './bytes.ts'
import type { JsonObject } from './canonical.ts'
import type { Context } from './context.ts'
import type { Reading } from './events.ts'
import { isConsistent } from './key-changes.ts'
import { parseCheckpoint } from './note.ts'
import { Refusal } from './refusal.ts'
import { readToken, requireAuthority, type Token } from './time-stamp-token.ts'

const formatLine = 'bioledger-time-stamp/v1'

export async function checkTokens(context: Context, { stamps, deviations }: Reading): Promise<void> {
  const { extract, manifest, findings, platform } = context
  const spelt = (all: readonly JsonObject[]) =>
    all.map(({ index, size, stampedAt }) => `${index} ${size} ${stampedAt}`).join('\n')
  if (spelt(stamps) !== spelt(manifest.stamps))
    findings.fail('times', "its time stamps are not those of the log's", { member: 'manifest.json' })
  const stated = new Map(stamps.map((stamp) => [`${stamp.size} ${stamp.tokenSha256}`, stamp]))
  const tokens: { name: string; token: Token }[] = []
  for (const name of extract.names) {
    const [, size, kind] = /^timestamp-(\d+)\.(tsr|txt)$/.exec(name) ?? []
    if (size === undefined) continue
    try {
      if (kind === 'txt') {
        if (!extract.has(`timestamp-${size}.tsr`)) throw new Refusal('its token is missing')
        continue
      }
      const bytes = await extract.whole(name)
      const stamp = stated.get(`${size} ${toBase64(platform.hash(bytes))}`)
      if (!stamp) throw new Refusal('no time stamp of the log is this token')
      const token = readToken(bytes)
      if (token.imprint !== stamp.imprint || token.stampedAt !== stamp.stampedAt)
        throw new Refusal(
          `it is over another digest, or of another time (${token.stampedAt}), than its event says`,
        )
      await requireStamped(Number(size), token, context)
      tokens.push({ name, token })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      findings.fail('times', error.message, { member: name })
    }
  }
  await checkAuthorities(tokens, context)
  const noted =
    deviations.count > 0
      ? `; DEVIATION of clocks, noted at ${deviations.count} events: ${deviations.first}`
      : ''
  if (tokens.length === 0)
    findings.skip(
      'times',
      `${stamps.length} time stamps in the log, none of their tokens in the extract; recorded times never step back in the order of the log${noted}`,
    )
  else
    findings.note(
      'times',
      `${stamps.length} time stamps, ${tokens.length} tokens over checkpoints that this one continues${noted}`,
    )
}

/** The digest is that of a checkpoint of this log at that size, and the extract's checkpoint continues it. */
async function requireStamped(size: number, { imprint }: Token, context: Context): Promise<void> {
  const { extract, checkpoint, platform } = context
  const name = `timestamp-${size}.txt`
  if (!extract.has(name)) throw new Refusal(`${name}, which says what was stamped, is missing`)
  const whole = fromUtf8(await extract.whole(name)) ?? ''
  const split = whole.indexOf('\n\n')
  const [format, ...hashes] = whole.slice(0, Math.max(split, 0)).split('\n')
  if (format !== formatLine) throw new Refusal(`${name} has an unknown format`)
  const text = whole.slice(split + 2)
  if (toBase64(platform.hash(utf8(text))) !== imprint)
    throw new Refusal(`it is not over the checkpoint in ${name}`)
  const stamped = parseCheckpoint(text)
  if (stamped.origin !== checkpoint.origin || stamped.size !== size || size > checkpoint.size)
    throw new Refusal(`the checkpoint in ${name} is not of this log and size`)
  const path = hashes.map((hash) => fromBase64(hash) ?? new Uint8Array())
  if (!isConsistent(size, stamped.root, checkpoint.size, checkpoint.root, path, platform))
    throw new Refusal(`the checkpoint of the extract does not continue the one in ${name}`)
}

async function checkAuthorities(
  tokens: readonly { name: string; token: Token }[],
  { findings, pinned, platform }: Context,
): Promise<void> {
  const given = pinned.authorities ?? []
  if (given.length === 0) {
    findings.skip('authorities', 'no certificate of an authority was given, so nobody vouches for the tokens')
    return
  }
  if (tokens.length === 0) {
    findings.skip('authorities', 'there is no token that holds')
    return
  }
  for (const { name, token } of tokens)
    try {
      await requireAuthority(token, given, platform)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      findings.fail('authorities', error.message, { member: name })
    }
  const times = tokens.map(({ token }) => token.stampedAt).sort()
  findings.note('authorities', `${tokens.length} tokens, from ${times[0]} to ${times.at(-1)}`)
}
