/** Tampering with the manifest and its signature. */
import type { CheckId } from '../src/findings.ts'
import { type JsonRecord, reseal } from './extract-file.ts'
import { otherLog } from './honest-extract.ts'
import { changed, otherSignature, textIn } from './member-edits.ts'
import type { TamperCase } from './tamper-case.ts'

const sign = (name: string, edit: (manifest: JsonRecord) => void, check: CheckId): TamperCase =>
  changed(`the manifest, under the export key: ${name}`, check, (members, { exportKey }) =>
    reseal(members, exportKey, edit),
  )
const anybody = (name: string, edit: (manifest: JsonRecord) => void): TamperCase =>
  changed(`the manifest, by anybody: ${name}`, 'manifest', (members) => reseal(members, undefined, edit))
const put = (fields: JsonRecord) => (manifest: JsonRecord) => void Object.assign(manifest, fields)
const stream = (at: number, fields: JsonRecord) => (manifest: JsonRecord) =>
  void Object.assign((manifest.streams as JsonRecord[])[at] as JsonRecord, fields)
const request = (fields: JsonRecord) => (manifest: JsonRecord) =>
  void Object.assign(manifest.request as JsonRecord, fields)

export const tamperedManifest: readonly TamperCase[] = [
  anybody('the purpose', request({ purpose: 'sponsor' })),
  anybody('as of when', request({ asOf: '2026-11-20T00:00:00.000Z' })),
  anybody('the number of readings', put({ readings: '1' })),
  anybody('an unknown field', put({ note: 'x' })),
  anybody('an unknown format', put({ format: 'bioledger-extract/v2' })),
  anybody('another time zone', put({ timeZone: 'Europe/Vienna' })),
  sign('another batch', put({ batchId: '00000000-0000-7000-a000-000000000000' }), 'streams'),
  sign('another origin', put({ origin: 'ledger.example.org/other' }), 'manifest'),
  sign('the number of events', put({ events: '1' }), 'leaves'),
  sign('the number of readings', put({ readings: '1' }), 'renderings'),
  sign('the count of a stream', stream(0, { events: '1' }), 'streams'),
  sign('the last revision of a stream', stream(0, { last: '1' }), 'streams'),
  sign('the first revision of a stream', stream(1, { first: '1' }), 'streams'),
  sign(
    'a stream that is not there',
    (all) =>
      void (all.streams as JsonRecord[]).push({ stream: 'reading-x', first: '0', last: '0', events: '1' }),
    'streams',
  ),
  sign('another heads statement', put({ heads: { index: '0', size: '1' } }), 'completeness'),
  sign('no heads statement', put({ heads: null }), 'completeness'),
  sign(
    'a stream said to be left out',
    (all) => void (all.omitted as string[]).push(`reading-${String(all.batchId)}`),
    'scope',
  ),
  sign('an unknown scope', request({ scope: 'most' }), 'manifest'),
  sign('a range that was not asked for', request({ from: '2026-11-20T00:00:00.000Z' }), 'scope'),
  sign('as of a time after the statement', request({ asOf: '2026-12-01T00:00:00.000Z' }), 'renderings'),
  sign('signatures only', request({ scope: 'signatures-only' }), 'scope'),
  sign('a time stamp that is not there', put({ stamps: [] }), 'times'),
  sign('a count with a leading zero', put({ events: '01' }), 'manifest'),
  changed(
    'a key twice in the manifest',
    'manifest',
    textIn('manifest.json', (text) => text.replace('{', '{"batchId":"x",')),
  ),
  changed(
    'white space in the manifest',
    'manifest',
    textIn('manifest.json', (text) => `${text}\n`),
  ),
  changed(
    'a manifest that is no JSON',
    'manifest',
    textIn('manifest.json', () => 'x'),
  ),
  changed(
    'a manifest without a signature',
    'manifest',
    textIn('manifest.sig', (text) => text.slice(0, text.indexOf('\n\n') + 2)),
  ),
  changed('a manifest that another key signed', 'manifest', (members) =>
    reseal(members, otherLog().exportKey),
  ),
  changed("a manifest that the log's key signed", 'manifest', (members, { logKey }) =>
    reseal(members, logKey),
  ),
  changed('a bit of the signature of the manifest', 'manifest', textIn('manifest.sig', otherSignature)),
  changed(
    'the signature of another extract',
    'manifest',
    (members) => void members.set('manifest.sig', Buffer.from(otherLog().manifestSignature)),
  ),
]
