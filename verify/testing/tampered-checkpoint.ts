/** Tampering with the checkpoint, and checking it with a key that is not the log's. */
import { signNote } from '../../ledger/log/note.ts'
import { reseal } from './extract-file.ts'
import { otherLog } from './honest-extract.ts'
import { changed, otherSignature, resealed, textIn } from './member-edits.ts'
import type { TamperCase } from './tamper-case.ts'

export const tamperedCheckpoint: readonly TamperCase[] = [
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
  changed('a bit of its signature', 'checkpoint', textIn('checkpoint.txt', otherSignature)),
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
