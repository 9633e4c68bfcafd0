import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { fastify } from 'fastify'
import { type Format, negotiateFormat, sendRows, withoutFormula } from './formats.ts'
import { ProblemError } from './problem.ts'

type Row = { readonly text: string; readonly value: number | null }

async function answer(rows: AsyncIterable<Row> | Iterable<Row>, format: Format) {
  const server = fastify()
  server.get('/', (_request, reply) =>
    sendRows(reply, {
      format,
      rows,
      columns: [
        { name: 'text', kind: 'text', value: (row: Row) => row.text },
        { name: 'value', kind: 'number', value: (row: Row) => row.value },
      ],
      fileName: 'batch 7/series',
      json: { before: { tag: 'DO', none: undefined }, name: 'points', after: () => ({ next: null }) },
    }),
  )
  try {
    const given = await fetch(await server.listen({ port: 0, host: '127.0.0.1' }))
    return { status: given.status, headers: given.headers, body: await given.text() }
  } finally {
    await server.close()
  }
}

const awkward: Row[] = [
  { text: '=HYPERLINK("http://x","y")', value: -0.12 },
  { text: 'two\r\nlines, "quoted"', value: null },
  { text: '@SUM(A1)', value: 1e21 },
]

test('CSV follows RFC 4180, guards text against formulas and leaves numbers alone', async () => {
  const given = await answer(awkward, 'csv')
  assert.equal(
    given.body,
    'text,value\r\n"\'=HYPERLINK(""http://x"",""y"")",-0.12\r\n"two\r\nlines, ""quoted""",\r\n\'@SUM(A1),1e+21\r\n',
  )
  assert.equal(given.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  assert.equal(given.headers.get('content-disposition'), 'attachment; filename="batch_7_series.csv"')
})

test('NDJSON has one row a line, JSON has the rows between what comes before and after', async () => {
  const lines = (await answer(awkward, 'ndjson')).body.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    awkward,
  )
  assert.equal((await answer([], 'json')).body, '{"tag":"DO","points":[],"next":null}')
  assert.deepEqual(JSON.parse((await answer(awkward, 'json')).body), {
    tag: 'DO',
    points: awkward,
    next: null,
  })
})

test('whatever text people typed comes back out of the CSV, formulas disarmed', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }),
    async (texts) => {
      const { body } = await answer(
        texts.map((text) => ({ text, value: 1 })),
        'csv',
      )
      const records = parse(body, { from_line: 2, record_delimiter: '\r\n' }) as string[][]
      assert.deepEqual(
        records.map(([text]) => text),
        texts.map(withoutFormula),
      )
      for (const [text] of records) assert.doesNotMatch(text ?? '', /^[=+\-@\t\r]/)
    },
  )
  await fc.assert(property, { numRuns: 50 })
})

test('a source that fails on the way breaks the answer off, one that fails at once is an error from the start', async () => {
  async function* failingAfter(rows: number) {
    for (let row = 0; row < rows; row++) yield { text: 'a row like any other', value: row }
    throw new Error('the database went away')
  }
  for (const format of ['json', 'ndjson', 'csv'] as const) {
    await assert.rejects(answer(failingAfter(20_000), format), format)
    // The header line of a CSV is on its way before the first row.
    if (format !== 'csv') assert.equal((await answer(failingAfter(0), format)).status, 500, format)
  }
})

const asked = (accept: string | undefined, format?: Format) =>
  negotiateFormat({ headers: { accept } } as Parameters<typeof negotiateFormat>[0], format)

test('the form follows Accept with its weights, and format before Accept', () => {
  const cases: [string | undefined, Format][] = [
    [undefined, 'json'],
    ['*/*', 'json'],
    ['text/csv', 'csv'],
    ['TEXT/CSV; header=present', 'csv'],
    ['text/*', 'csv'],
    ['application/x-ndjson, application/json;q=0.5', 'ndjson'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'json'],
    ['application/json;q=0, */*', 'ndjson'],
  ]
  for (const [accept, expected] of cases) assert.equal(asked(accept), expected, accept)
  assert.equal(asked('application/json', 'csv'), 'csv')
})

test('what is not offered is 406 with what is', () => {
  assert.throws(
    () => asked('image/png'),
    (error) =>
      error instanceof ProblemError && error.facts.status === 406 && error.facts.allowed?.length === 3,
  )
})
