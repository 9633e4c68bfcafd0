/** Tampering with the zip: members left out, added or twice, headers that lie, files cut off or wrapped. */
import type { CheckId } from '../src/findings.ts'
import { type Members, type ZipEntry, zipOf } from './extract-file.ts'
import type { Honest, TamperCase } from './tamper-case.ts'

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

export const tamperedZip: readonly TamperCase[] = [
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
