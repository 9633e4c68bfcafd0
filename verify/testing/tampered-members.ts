/** Tampering with everything but single events: proof, checkpoint, heads, manifest, renderings, and the zip itself. */

import { signNote } from '../../ledger/log/note.ts'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import type { CheckId } from '../src/findings.ts'
import {
  type JsonRecord,
  linesOf,
  type Members,
  reseal,
  setLines,
  type ZipEntry,
  zipOf,
} from './extract-file.ts'
import { otherLog } from './honest-extract.ts'
import type { Honest, TamperCase } from './tamper-case.ts'

const changed = (
  name: string,
  check: CheckId,
  edit: (members: Members, honest: Honest) => void,
): TamperCase => ({
  name,
  check,
  make: (honest) => {
    const members = honest.members()
    edit(members, honest)
    return members
  },
})
const bytesIn = (name: string, edit: (bytes: Buffer) => Buffer) => (members: Members) =>
  void members.set(name, edit(Buffer.from(members.get(name) as Buffer)))
const flipped = (at: (bytes: Buffer) => number) => (bytes: Buffer) => {
  const place = at(bytes)
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place)
  return bytes
}
const textIn = (name: string, edit: (text: string) => string) => (members: Members) =>
  void members.set(name, Buffer.from(edit(String(members.get(name)))))
/** And the manifest says so, under the export key: only the member's own proof can tell. */
const resealed =
  (edit: (members: Members) => void) =>
  (members: Members, { exportKey }: Honest) => {
    edit(members)
    reseal(members, exportKey)
  }

const proof: readonly TamperCase[] = [
  changed(
    'a hash of the proof: the first',
    'inclusion',
    resealed(
      bytesIn(
        'proof.bin',
        flipped(() => 26),
      ),
    ),
  ),
  changed(
    'a hash of the proof: in the middle',
    'inclusion',
    resealed(
      bytesIn(
        'proof.bin',
        flipped((bytes) => bytes.length >> 1),
      ),
    ),
  ),
  changed(
    'a hash of the proof: the last',
    'inclusion',
    resealed(
      bytesIn(
        'proof.bin',
        flipped((bytes) => bytes.length - 1),
      ),
    ),
  ),
  changed(
    'a hash of the proof, by anybody',
    'manifest',
    bytesIn(
      'proof.bin',
      flipped(() => 40),
    ),
  ),
  changed(
    'a proof that ends early',
    'inclusion',
    resealed(bytesIn('proof.bin', (bytes) => bytes.subarray(0, -32))),
  ),
  changed(
    'a proof with a hash more',
    'inclusion',
    resealed(bytesIn('proof.bin', (bytes) => Buffer.concat([bytes, Buffer.alloc(32)]))),
  ),
  changed(
    'a proof with a byte more',
    'inclusion',
    resealed(bytesIn('proof.bin', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]))),
  ),
  changed(
    'a proof of another format',
    'container',
    resealed(
      bytesIn(
        'proof.bin',
        flipped(() => 24),
      ),
    ),
  ),
  changed(
    'two hashes of the proof exchanged',
    'inclusion',
    resealed(
      bytesIn('proof.bin', (bytes) =>
        Buffer.concat([
          bytes.subarray(0, 25),
          bytes.subarray(57, 89),
          bytes.subarray(25, 57),
          bytes.subarray(89),
        ]),
      ),
    ),
  ),
  changed('an empty proof', 'container', resealed(bytesIn('proof.bin', () => Buffer.alloc(0)))),
  changed(
    'a fingerprint',
    'leaves',
    bytesIn(
      'fingerprints.bin',
      flipped((bytes) => bytes.length >> 1),
    ),
  ),
  changed(
    'fingerprints cut off',
    'leaves',
    bytesIn('fingerprints.bin', (bytes) => bytes.subarray(0, -8)),
  ),
  changed(
    'a fingerprint more',
    'streams',
    bytesIn('fingerprints.bin', (bytes) => Buffer.concat([bytes, Buffer.alloc(8)])),
  ),
]

const checkpoint: readonly TamperCase[] = [
  changed(
    'the size of the checkpoint',
    'checkpoint',
    resealed(
      textIn('checkpoint.txt', (text) => text.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`)),
    ),
  ),
  changed(
    'the root of the checkpoint',
    'manifest',
    textIn('checkpoint.txt', (text) =>
      text.replace(/\n(.)(\S{43})\n/, (_, first, rest) => `\n${first === 'A' ? 'B' : 'A'}${rest}\n`),
    ),
  ),
  changed(
    'a bit of its signature',
    'checkpoint',
    textIn('checkpoint.txt', (text) =>
      text.replace(/.{8}=*\n$/, (end) => (end.startsWith('A') ? `B${end.slice(1)}` : `A${end.slice(1)}`)),
    ),
  ),
  changed(
    'a checkpoint without a signature',
    'checkpoint',
    textIn('checkpoint.txt', (text) => text.slice(0, text.indexOf('\n\n') + 2)),
  ),
  changed('a checkpoint that another key signed', 'checkpoint', (members) => {
    const text = String(members.get('checkpoint.txt'))
    members.set(
      'checkpoint.txt',
      Buffer.from(signNote(text.slice(0, text.indexOf('\n\n') + 1), [otherLog().logKey])),
    )
  }),
  changed(
    'the checkpoint of another log',
    'manifest',
    (members) => void members.set('checkpoint.txt', Buffer.from(otherLog().note)),
  ),
  changed('the checkpoint of another log, and a manifest for it', 'checkpoint', (members, { exportKey }) => {
    const { note, size, root } = otherLog()
    members.set('checkpoint.txt', Buffer.from(note))
    reseal(members, exportKey, (manifest) =>
      Object.assign(manifest, { checkpoint: { size: String(size), root: root.toString('base64') } }),
    )
  }),
  changed(
    'an extension line',
    'checkpoint',
    textIn('checkpoint.txt', (text) => text.replace('\n\n', '\nextension\n\n')),
  ),
  changed(
    'a size with a leading zero',
    'checkpoint',
    textIn('checkpoint.txt', (text) => text.replace('\n', '\n0')),
  ),
  changed(
    'white space after the origin',
    'checkpoint',
    textIn('checkpoint.txt', (text) => text.replace('\n', ' \n')),
  ),
  changed(
    'a carriage return in the checkpoint',
    'checkpoint',
    textIn('checkpoint.txt', (text) => text.replace('\n', '\r\n')),
  ),
  changed(
    'base64 with a line that is no signature',
    'checkpoint',
    textIn('checkpoint.txt', (text) => `${text}— x !\n`),
  ),
  { ...changed('a key of another log', 'checkpoint', () => {}), key: () => otherLog().logKey.verifierKey },
  {
    ...changed('the export key in place of the log key', 'checkpoint', () => {}),
    key: ({ exportKey }) => exportKey.verifierKey,
  },
]

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

const heads: readonly TamperCase[] = [
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

const manifest: readonly TamperCase[] = [
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
  changed(
    'a bit of the signature of the manifest',
    'manifest',
    textIn('manifest.sig', (text) =>
      text.replace(/.{8}=*\n$/, (end) => (end.startsWith('A') ? `B${end.slice(1)}` : `A${end.slice(1)}`)),
    ),
  ),
  changed(
    'the signature of another extract',
    'manifest',
    (members) => void members.set('manifest.sig', Buffer.from(otherLog().manifestSignature)),
  ),
]

const renderings: readonly TamperCase[] = [
  changed(
    'the report',
    'manifest',
    textIn('report.html', (text) => text.replace('Batch record', 'Batch Record')),
  ),
  changed('the report, with a new manifest', 'manifest', (members) => {
    textIn('report.html', (text) => text.replace('p-002', 'p-003'))(members)
    reseal(members)
  }),
  changed(
    'how to verify',
    'manifest',
    textIn('VERIFY.txt', (text) => text.replace('proves nothing', 'is fine')),
  ),
  changed(
    'a value in the table',
    'manifest',
    textIn('readings.csv', (text) => text.replace(/,(\d)\./, ',9.')),
  ),
  changed(
    'a value in the table, under the export key',
    'renderings',
    resealed(textIn('readings.csv', (text) => text.replace(/\r\n([^,]+,[^,]+),(\d)/, '\r\n$1,9$2'))),
  ),
  changed(
    'a row left out of the table, under the export key',
    'renderings',
    resealed(textIn('readings.csv', (text) => text.split('\r\n').toSpliced(5, 1).join('\r\n'))),
  ),
  changed(
    'a byte of the Parquet table',
    'manifest',
    bytesIn(
      'readings.parquet',
      flipped((bytes) => bytes.length >> 1),
    ),
  ),
]

const entries = (members: Members): ZipEntry[] => [...members].map(([name, bytes]) => ({ name, bytes }))
const zipped = (
  name: string,
  make: (entries: ZipEntry[], honest: Honest) => Buffer,
  check: CheckId = 'container',
): TamperCase => ({
  name: `the zip: ${name}`,
  check,
  make: (honest) => make(entries(honest.members()), honest),
})
const first = (all: ZipEntry[], fields: Partial<ZipEntry>): Buffer =>
  zipOf(all.map((entry, at) => (at === 0 ? { ...entry, ...fields } : entry)))
const required = [
  'VERIFY.txt',
  'events-000001.ndjson',
  'proof.bin',
  'fingerprints.bin',
  'checkpoint.txt',
  'readings.csv',
].concat(['readings.parquet', 'report.html', 'manifest.json', 'manifest.sig'])

const zip: readonly TamperCase[] = [
  ...required.map((name) =>
    zipped(`without ${name}`, (all) => zipOf(all.filter((entry) => entry.name !== name))),
  ),
  zipped(
    'without the heads, by anybody',
    (all) => zipOf(all.filter((entry) => entry.name !== 'heads.ndjson')),
    'completeness',
  ),
  zipped('a member twice', (all) => zipOf([...all, all[0] as ZipEntry])),
  zipped('a member that climbs out', (all) => zipOf([...all, { name: '../evil', bytes: Buffer.from('x') }])),
  zipped('a member with an absolute path', (all) =>
    zipOf([...all, { name: '/etc/passwd', bytes: Buffer.from('x') }]),
  ),
  zipped('a folder', (all) => zipOf([...all, { name: 'folder/', bytes: Buffer.alloc(0), method: 0 }])),
  zipped('a member of its own', (all) => zipOf([...all, { name: 'note.txt', bytes: Buffer.from('x') }])),
  zipped('a chunk of events that does not follow', (all) =>
    zipOf([...all, { name: 'events-000003.ndjson', bytes: Buffer.from('x\n') }]),
  ),
  zipped(
    'a second chunk of events',
    (all) => zipOf([...all, { name: 'events-000002.ndjson', bytes: Buffer.from('x\n') }]),
    'leaves',
  ),
  zipped(
    'a time stamp of nobody',
    (all) => zipOf([...all, { name: 'timestamp-5.tsr', bytes: Buffer.from('x') }]),
    'times',
  ),
  zipped('another name in the header of a member', (all) => first(all, { localName: 'VERIFY.tx_' })),
  zipped('an encrypted member', (all) => first(all, { flags: 1 })),
  zipped('an unknown compression', (all) => first(all, { method: 12 })),
  zipped('a wrong CRC', (all) => first(all, { crc: 1 }), 'manifest'),
  zipped('a wrong size', (all) => first(all, { size: 3 }), 'manifest'),
  zipped('a size that would fill the memory', (all) => first(all, { size: 0xfffffff0 })),
  zipped('a bomb', (all) =>
    zipOf(
      all.map((entry) =>
        entry.name === 'report.html' ? { ...entry, bytes: Buffer.alloc(200 << 20) } : entry,
      ),
    ),
  ),
  zipped('cut off', (all) => zipOf(all).subarray(0, -100)),
  zipped('half of it', (all) => zipOf(all).subarray(0, 20_000)),
  zipped('something after its end', (all) => Buffer.concat([zipOf(all), Buffer.from('x')])),
  zipped('a comment', (all) => zipOf(all, { comment: Buffer.from('x') })),
  zipped('something before its beginning', (all) => zipOf(all, { prefix: Buffer.from('#!/bin/sh\n') })),
  zipped('no zip', () => Buffer.from('no zip at all, but long enough to be looked at')),
  zipped('an empty file', () => Buffer.alloc(0)),
  zipped('no members', () => zipOf([])),
]

export const tamperedMembers: readonly TamperCase[] = [
  ...proof,
  ...checkpoint,
  ...heads,
  ...manifest,
  ...renderings,
  ...zip,
]
