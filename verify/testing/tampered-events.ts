/** Tampering with single events: every field of a leaf, payloads and salts, spellings, order and number of events. */
import { canonicalJson } from '../../schemas/canonical-json.ts'
import type { CheckId } from '../src/findings.ts'
import { eventsMember, type JsonRecord, linesOf, type Members, reseal, setLines } from './extract-file.ts'
import type { Honest, TamperCase } from './tamper-case.ts'

type Line = {
  index: string
  leaf: JsonRecord & { data: JsonRecord }
  payload?: { data: JsonRecord; reason?: JsonRecord }
  salt?: string
}
type Target = { at: number; line: Line; text: string }

/** The n-th event of a type in the extract. */
export function find(members: Members, type: string, nth: number): Target {
  const lines = linesOf(members)
  let seen = 0
  for (const [at, text] of lines.entries())
    if (text.includes(`"type":"${type}"`) && seen++ === nth)
      return { at, line: JSON.parse(text) as Line, text }
  throw new Error(`no ${type} number ${nth}`)
}

const reading = (members: Members) => find(members, 'SensorReadingRecorded', 60)
const sample = (members: Members, nth = 1) => find(members, 'SampleTaken', nth)
const placeOf = ({ line }: Target) => ({
  stream: String(line.leaf.stream),
  revision: Number(line.leaf.revision),
})

type Who = 'anybody' | 'with a new manifest' | 'who holds the export key'

function altered(
  name: string,
  target: (members: Members) => Target,
  edit: (line: Line, honest: Honest) => void,
  check: CheckId = 'leaves',
  who: Who = 'anybody',
): TamperCase {
  return raw(
    name,
    target,
    (_, line, honest) => {
      edit(line, honest)
      return canonicalJson(line)
    },
    check,
    who,
  )
}

function raw(
  name: string,
  target: (members: Members) => Target,
  edit: (text: string, line: Line, honest: Honest) => string,
  check: CheckId = 'leaves',
  who: Who = 'anybody',
): TamperCase {
  return {
    name: who === 'anybody' ? name : `${name} (${who})`,
    check,
    event: (honest) => placeOf(target(honest.members())),
    make: (honest) => {
      const members = honest.members()
      const { at, text, line } = target(members)
      const lines = linesOf(members)
      lines[at] = edit(text, line, honest)
      setLines(members, lines)
      finish(members, who, honest)
      return members
    },
  }
}

function finish(members: Members, who: Who, honest: Honest): void {
  if (who !== 'anybody') reseal(members, who === 'who holds the export key' ? honest.exportKey : undefined)
}

const setLeaf = (key: string, value: unknown) => (line: Line) => {
  line.leaf[key] = value
}
const setData = (key: string, value: unknown) => (line: Line) => {
  line.leaf.data[key] = value
}
const setPayload = (key: string, value: unknown) => (line: Line) => {
  if (line.payload) line.payload.data[key] = value
}

const other64 = `${Buffer.alloc(32, 7).toString('base64')}`

const leafEdits: readonly (readonly [string, (line: Line) => void])[] = [
  ['the value of a reading', setData('value', 5.02)],
  ['the sign of a reading', (line) => setData('value', -Number(line.leaf.data.value))(line)],
  [
    'the last digit of a reading',
    (line) => setData('value', Number(line.leaf.data.value) * (1 + 2 ** -50))(line),
  ],
  ['the unit of a reading', setData('unit', 'K')],
  ['the tag of a reading', setData('tag', 'pCO2')],
  ['the quality of a reading', setData('quality', 'bad')],
  ['the flags of a reading', setData('flags', ['late'])],
  ['the vessel of a reading', setData('vessel', 'V-02')],
  ['the source time', setLeaf('occurredAt', '2026-11-20T06:00:00.001Z')],
  ['the time of receipt', setLeaf('receivedAt', '2026-11-20T06:00:00.001Z')],
  ['the id', setLeaf('id', '00000000-0000-7000-a000-000000000000')],
  ['the actor', setLeaf('actor', { kind: 'device', id: 'V-09', role: 'sensor' })],
  ["the actor's role", setLeaf('actor', { kind: 'device', id: 'V-01', role: 'technician' })],
  ["the actor's kind", setLeaf('actor', { kind: 'human', id: 'V-01', role: 'sensor' })],
  ['the origin of the data', setLeaf('origin', 'live')],
  ['the site', setLeaf('site', 'site-2')],
  ['the topic', setLeaf('source', { topic: 'bioprocess/pichia/V-02/sensors/pH', seq: 60 })],
  [
    "the source's sequence number",
    (line) => setLeaf('source', { ...(line.leaf.source as JsonRecord), seq: 1 })(line),
  ],
  ['the schema version', setLeaf('schemaVersion', 2)],
  ['the type', setLeaf('type', 'ReadingQuarantined')],
  ['the predecessor', setLeaf('prev', other64)],
  ['a correlation id that was not there', setLeaf('correlationId', '00000000-0000-7000-a000-000000000000')],
  ['a reason that was not there', setLeaf('reason', { code: 'x', text: 'ten letters' })],
]

const refusedEdits: readonly (readonly [string, (line: Line) => void])[] = [
  ['an unknown version', setLeaf('v', 2)],
  ['another ledger', setLeaf('ledger', 'ledger.example.org/site-1/other')],
  ['an unknown field', setLeaf('note', 'x')],
  ['no predecessor', setLeaf('prev', null)],
  ['an index with a leading zero', (line) => void Object.assign(line, { index: `0${line.index}` })],
  ['an index that is no number', (line) => void Object.assign(line, { index: `${line.index}x` })],
  ['an impossible instant', setLeaf('recordedAt', '2026-13-20T06:00:00.000Z')],
  ['a type in lower case', setLeaf('type', 'sensor')],
  ['no data', (line) => void Reflect.deleteProperty(line.leaf, 'data')],
  ['no id', (line) => void Reflect.deleteProperty(line.leaf, 'id')],
  ['an unknown origin', setLeaf('origin', 'invented')],
  ['a payload beside open data', (line) => void Object.assign(line, { payload: { data: {} } })],
]

const payloadEdits: readonly (readonly [string, (line: Line, honest: Honest) => void])[] = [
  ['what a person typed', setPayload('od600Raw', '0.76')],
  ['a computed value of a sample', setPayload('od600', '7.6')],
  ['the sample number', setPayload('sampleNumber', 9)],
  ['the contamination seen', setPayload('contaminationDetected', true)],
  ['a note added to a sample', setPayload('microscopyObservations', 'clean')],
  ['the batch that a sample is of', setPayload('batchId', '00000000-0000-7000-a000-000000000000')],
  ['a late entry', setPayload('lateEntry', true)],
  [
    'a reason beside the payload',
    (line) =>
      void Object.assign(line, {
        payload: {
          ...line.payload,
          data: line.payload?.data ?? {},
          reason: { code: 'x', text: 'ten letters' },
        },
      }),
  ],
  ['the salt', (line) => void Object.assign(line, { salt: other64 })],
  ['a shorter salt', (line) => void Object.assign(line, { salt: Buffer.alloc(16).toString('base64') })],
  ['no salt', (line) => void Reflect.deleteProperty(line, 'salt')],
  [
    'no payload and no salt',
    (line) => {
      Reflect.deleteProperty(line, 'salt')
      Reflect.deleteProperty(line, 'payload')
    },
  ],
  [
    'the payload of another sample',
    (line, { members }) => void Object.assign(line, { payload: sample(members(), 2).line.payload }),
  ],
  [
    'payload and salt of another sample',
    (line, { members }) => {
      const { payload, salt } = sample(members(), 2).line
      Object.assign(line, { payload, salt })
    },
  ],
]

const digestEdits: readonly (readonly [string, JsonRecord])[] = [
  ['an unknown algorithm of the digest', { alg: 'md5' }],
  ['an unsalted digest', { salted: false }],
  ['a wrong size of the payload', { size: '1' }],
  ['an unknown field in the digest', { level: 1 }],
]

const spellings: readonly (readonly [string, (text: string) => string])[] = [
  ['a key twice', (text) => text.replace('"site":"site-1"', '"site":"site-1","site":"site-1"')],
  ['a key twice with another value first', (text) => text.replace('"data":{', '"data":{"quality":"bad",')],
  ['white space', (text) => text.replace('"v":1', '"v": 1')],
  ['another spelling of a number', (text) => text.replace('"v":1', '"v":1.0')],
  ['another exponent', (text) => text.replace('"v":1', '"v":1e0')],
  ['keys in another order', (text) => text.replace(',"v":1', '').replace('"leaf":{', '"leaf":{"v":1,')],
  ['an escaped letter', (text) => text.replace('"site-1"', '"\\u0073ite-1"')],
  ['a lone surrogate', (text) => text.replace('"site-1"', '"\\ud800"')],
  ['something after the object', (text) => `${text} `],
  ['a carriage return', (text) => `${text}\r`],
  ['a byte order mark', (text) => `\ufeff${text}`],
  ['an object that is cut off', (text) => text.slice(0, -1)],
  ['a field beside index and leaf', (text) => text.replace('{"index"', '{"a":1,"index"')],
  [
    'nesting without end',
    (text) => text.replace('"quality":"', `"nest":${'['.repeat(5000)}${']'.repeat(5000)},"quality":"`),
  ],
  ['a prototype', (text) => text.replace('"actor":{', '"__proto__":{"x":1},"actor":{')],
]

export const tamperedEvents: readonly TamperCase[] = [
  ...leafEdits.map(([name, edit]) => altered(`changed: ${name}`, reading, edit)),
  ...leafEdits
    .slice(0, 4)
    .map(([name, edit]) => altered(`changed: ${name}`, reading, edit, 'leaves', 'with a new manifest')),
  ...refusedEdits.map(([name, edit]) => altered(`made: ${name}`, reading, edit)),
  ...payloadEdits.map(([name, edit]) => altered(`changed: ${name}`, sample, edit, 'payloads')),
  altered(
    'changed: what a person typed',
    sample,
    setPayload('od600Raw', '0.76'),
    'payloads',
    'who holds the export key',
  ),
  altered(
    'changed: who approved the closure',
    (members) => find(members, 'BatchClosed', 0),
    setPayload('approvedBy', 'p-003'),
    'payloads',
    'who holds the export key',
  ),
  altered(
    'a signature moved from one person to another',
    (members) => find(members, 'BatchInoculated', 0),
    (line) => setLeaf('actor', { kind: 'human', id: 'p-099', role: 'technician' })(line),
  ),
  ...digestEdits.map(([name, edit]) =>
    altered(
      `made: ${name}`,
      sample,
      (line) => void Object.assign(line.leaf.payload as JsonRecord, edit),
      name.includes('unsalted') || name.includes('size') ? 'payloads' : 'leaves',
    ),
  ),
  ...spellings.map(([name, edit]) => raw(`spelt with ${name}`, reading, edit)),
  ...orders(),
]

function orders(): TamperCase[] {
  const at = (type: string, nth: number) => (honest: Honest) => placeOf(find(honest.members(), type, nth))
  const cut = (
    name: string,
    check: CheckId,
    edit: (lines: string[], at: number, members: Members) => string[],
    type = 'SensorReadingRecorded',
    nth = 60,
    event = at(type, nth),
  ): TamperCase => ({
    name,
    check,
    event,
    make: (honest) => {
      const members = honest.members()
      setLines(members, edit(linesOf(members), find(members, type, nth).at, members))
      return members
    },
  })
  const without = (lines: string[], index: number) => lines.filter((_, other) => other !== index)
  return [
    cut('an event left out in the middle', 'streams', without),
    cut('a sample left out', 'streams', without, 'SampleTaken', 1),
    cut('the first reading left out', 'streams', without, 'SensorReadingRecorded', 0),
    cut('the batch created never', 'streams', without, 'BatchCreated', 0),
    cut('an event twice', 'streams', (lines, index) => [...lines.slice(0, index + 1), ...lines.slice(index)]),
    cut('two events exchanged', 'streams', (lines, index) => {
      const swapped = [...lines]
      swapped[index] = lines[index + 1] as string
      swapped[index + 1] = lines[index] as string
      return swapped
    }),
    cut('ten readings left out', 'streams', (lines, index) =>
      lines.filter(
        (text, other) => other < index || other >= index + 10 || !text.includes('SensorReadingRecorded'),
      ),
    ),
    cut('an event at a later index', 'streams', (lines, index) =>
      lines.map((text, other) =>
        other === index
          ? text.replace(/"index":"(\d+)"/, (_, value) => `"index":"${Number(value) + 100_000}"`)
          : text,
      ),
    ),
    cut('an event at an earlier index', 'streams', (lines, index) =>
      lines.map((text, other) => (other === index ? text.replace(/"index":"(\d+)"/, '"index":"3"') : text)),
    ),
    cut(
      'all after an event cut off',
      'streams',
      (lines, index) => lines.slice(0, index + 1),
      'SensorReadingRecorded',
      60,
      ({ members }) => placeOf(find(members(), 'SensorReadingRecorded', 60)),
    ),
    cut(
      'an event moved into another stream',
      'leaves',
      (lines, index) =>
        lines.map((text, other) =>
          other === index ? text.replace(/"stream":"reading-/, '"stream":"derived-') : text,
        ),
      'SensorReadingRecorded',
      60,
      ({ members }) => {
        const place = placeOf(find(members(), 'SensorReadingRecorded', 60))
        return { ...place, stream: place.stream.replace('reading-', 'derived-') }
      },
    ),
    // Named as it calls itself: one revision on.
    cut(
      'the revision of an event',
      'streams',
      (lines, index) =>
        lines.map((text, other) =>
          other === index
            ? text.replace(/"revision":"(\d+)"/, (_, value) => `"revision":"${Number(value) + 1}"`)
            : text,
        ),
      'SensorReadingRecorded',
      60,
      ({ members }) => {
        const { stream, revision } = placeOf(find(members(), 'SensorReadingRecorded', 60))
        return { stream, revision: revision + 1 }
      },
    ),
    {
      name: 'the member of the events is no UTF-8',
      check: 'leaves',
      make: ({ members }) => {
        const all = members()
        const bytes = Buffer.from(all.get(eventsMember) as Buffer)
        bytes[bytes.indexOf('site-1')] = 0xff
        return all.set(eventsMember, bytes)
      },
    },
    {
      name: 'the last line has no line feed',
      check: 'leaves',
      make: ({ members }) => {
        const all = members()
        return all.set(eventsMember, (all.get(eventsMember) as Buffer).subarray(0, -1))
      },
    },
  ]
}
