/**
 * Whole streams, or all that came after an old heads statement, kept back by whoever runs the exporter: what is shown is
 * true and under a signed root, and every signature is right.
 */
import { hash } from 'node:crypto'
import type { ExtractRequest } from '../../ledger/extract/request.ts'
import { ledgerEvent, type MemoryLog } from '../../ledger/extract/testing/memory-log.ts'
import { type SampleLog, sampleLog } from '../../ledger/extract/testing/sample-log.ts'
import type { CheckId } from '../src/findings.ts'
import { type JsonRecord, linesOf, type Members, putTogether, reseal, takeApart } from './extract-file.ts'
import { type Forged, forgery } from './forgery.ts'
import { extractOf } from './honest-extract.ts'

/** The log without what `isHidden` says of a stream's revisions. */
export function withholding(
  log: MemoryLog,
  isHidden: (stream: string, revision: bigint) => boolean,
  more: Partial<MemoryLog> = {},
): MemoryLog {
  return {
    ...log,
    indexesOf: async function* (asked, range) {
      for await (const run of log.indexesOf(asked, range)) if (!isHidden(asked, run.revision)) yield run
    },
    ...more,
  }
}

const madeLog = (seed: string) => sampleLog({ seed: `dropped ${seed}`, readings: 60, stamps: true })
const keyOf = ({ log }: SampleLog) => log.logKey.verifierKey

function dropped(
  name: string,
  streamsOf: (batchId: string) => readonly string[],
  asked: Partial<ExtractRequest> = {},
) {
  return forgery(`without ${name}`, 'completeness', async () => {
    const made = madeLog(name)
    const gone = streamsOf(made.batchId)
    const log = withholding(made.log, (stream) => gone.includes(stream))
    const zip = await extractOf({ log, batchId: made.batchId }, asked)
    return { made: zip, event: { stream: gone[0] ?? '', revision: 0 }, key: keyOf(made) }
  })
}

/** Made with the export key from a true extract. */
function restated(
  name: string,
  check: CheckId,
  edit: (manifest: JsonRecord, made: SampleLog) => void,
  asked: Partial<ExtractRequest> = {},
  change: (members: Members) => void = () => {},
) {
  return forgery(name, check, async () => {
    const made = madeLog(name)
    const members = await takeApart(await extractOf(made, asked))
    change(members)
    reseal(members, made.log.exportKey, (manifest) => edit(manifest, made))
    return { made: putTogether(members), key: keyOf(made) }
  })
}

const request = (fields: JsonRecord) => (manifest: JsonRecord) =>
  void Object.assign(manifest.request as JsonRecord, fields)

/** The export key was revoked, or the batch went on, after the statement that is shown. */
async function behindAnOldStatement(hidesRevocation: boolean): Promise<Forged> {
  const made = madeLog(`old statement ${hidesRevocation}`)
  const { log, batchId, endMs } = made
  const old = await log.headsStatement(BigInt(log.size))
  if (!old) throw new Error('no statement')
  const records = await log.headsRecords(old.size)
  const at = endMs + 10_000
  const event = (type: string, data: JsonRecord) =>
    ledgerEvent(Buffer.from(hash('sha256', `${type} ${log.size}`, 'hex'), 'hex'), type, at, data)
  const { verifierKey } = log.exportKey
  const stream = hidesRevocation ? 'ledger-keys' : `batch-${batchId}`
  const shownFrom = BigInt(log.countOf(stream))
  if (hidesRevocation) {
    const revoked = { verifierKey, purpose: 'export', firstBadSize: '10', finding: 'the key was copied' }
    // The event between would show the key's state at the newest size.
    log.append(
      'ledger-keys',
      event('LedgerKeyAdded', { verifierKey: 'x', purpose: 'other', fromSize: '1' }),
      at,
    )
    log.append('ledger-keys', event('LedgerKeyRevoked', revoked), at)
  } else
    for (const outcome of ['shown', 'hidden'])
      log.append(stream, event('BatchAborted', { batchId, outcome, lateEntry: false }), at)
  log.stateHeads(at + 1000)
  log.publish()
  const shown = withholding(log, (asked, revision) => asked === stream && revision > shownFrom, {
    headsStatement: async () => ({ ...old, size: BigInt(log.size) }),
    headsRecords: async () => records,
  })
  const members = await takeApart(await extractOf({ log: shown, batchId }))
  reseal(members, log.exportKey, (manifest) =>
    Object.assign(manifest, { heads: { index: String(old.index), size: String(old.size) } }),
  )
  return {
    made: putTogether(members),
    event: { stream, revision: Number(shownFrom) },
    key: keyOf(made),
  }
}

const bulk = (id: string) => [`reading-${id}`, `derived-${id}`, `forecast-${id}`]

export const droppedStreams = [
  dropped('its readings', (id) => [`reading-${id}`]),
  dropped('its process values', (id) => [`derived-${id}`]),
  dropped('its forecasts', (id) => [`forecast-${id}`]),
  dropped('any of its bulk streams', bulk),
  dropped('the time stamps', () => ['ledger-timestamps']),
  dropped('its forecasts, in a range', (id) => [`forecast-${id}`], { from: '2026-11-20T06:00:05.000Z' }),
  dropped('the time stamps, in an extract of signatures', () => ['ledger-timestamps'], {
    signaturesOnly: true,
  }),
  forgery('events after an old heads statement, the rest kept back', 'completeness', () =>
    behindAnOldStatement(false),
  ),
  forgery('a revocation behind an old heads statement', 'completeness', () => behindAnOldStatement(true)),
  restated('a range whose bounds no calendar has', 'scope', (manifest) =>
    request({ scope: 'range', from: '9999-99-99T99:99:99.999Z', to: '0000-00-00T00:00:00.000Z' })(manifest),
  ),
  restated('a range that ends before it begins', 'scope', (manifest) =>
    request({ scope: 'range', from: '2026-11-20T20:00:00.000Z', to: '2026-11-20T01:00:00.000Z' })(manifest),
  ),
  restated('as of a time before its events', 'scope', request({ asOf: '2019-01-01T00:00:00.000Z' })),
  restated('as of no instant', 'scope', request({ asOf: 'yesterday' })),
  restated(
    'signatures only, with readings left out that it does not name',
    'scope',
    (manifest) => void Object.assign(manifest, { omitted: [] }),
    { signaturesOnly: true },
  ),
  restated(
    'signatures only, of other types',
    'scope',
    (manifest) => void Object.assign(manifest, { signatureTypes: ['Nonsense'] }),
    { signaturesOnly: true },
  ),
  restated(
    'signatures only, with a stream left out that the log does not have',
    'scope',
    (manifest, { batchId }) => void (manifest.omitted as string[]).push(`reading-${batchId}x`),
    { signaturesOnly: true },
  ),
  restated(
    'an extract without the list under its statement',
    'completeness',
    () => {},
    {},
    (members) => {
      if (linesOf(members, 'heads.ndjson').length > 0) members.delete('heads.ndjson')
    },
  ),
]
