/** How the members of an extract are edited: bytes, text, and with a manifest that says so or not. */
import type { CheckId } from '../src/findings.ts'
import { type Members, reseal } from './extract-file.ts'
import type { Honest, TamperCase } from './tamper-case.ts'

/** A case that edits the members of the honest extract. */
export const changed = (
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

export const bytesIn = (name: string, edit: (bytes: Buffer) => Buffer) => (members: Members) =>
  void members.set(name, edit(Buffer.from(members.get(name) as Buffer)))

/** One bit of the byte at that place. */
export const flipped = (at: (bytes: Buffer) => number) => (bytes: Buffer) => {
  const place = at(bytes)
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place)
  return bytes
}

export const textIn = (name: string, edit: (text: string) => string) => (members: Members) =>
  void members.set(name, Buffer.from(edit(String(members.get(name)))))

/** The note with another letter in the last signature. */
export const otherSignature = (note: string): string =>
  note.replace(/.{8}=*\n$/, (end) => `${end.startsWith('A') ? 'B' : 'A'}${end.slice(1)}`)

/** And the manifest says so, under the export key: only the member's own proof can tell. */
export const resealed =
  (edit: (members: Members) => void) =>
  (members: Members, { exportKey }: Honest) => {
    edit(members)
    reseal(members, exportKey)
  }
