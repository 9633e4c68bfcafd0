import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rebuildReadModels } from './rebuild.ts'
import { batchCreated, batchIds, histories, inoculated, reading, testStartMs } from './testing/histories.ts'
import { readSide } from './testing/read-side.ts'

const api = '/api/v1'
const questions = [
  `${api}/batches`,
  `${api}/quarantine`,
  ...batchIds.flatMap((id) => [
    `${api}/batches/${id}`,
    `${api}/batches/${id}/series?tag=pH`,
    `${api}/batches/${id}/series?tag=DO&reduce=minmax&points=8`,
    `${api}/batches/${id}/series?tag=pH&reduce=mean&points=6&format=csv`,
    `${api}/batches/${id}/windows?tag=pH`,
    `${api}/batches/${id}/windows?tag=DO&format=ndjson`,
    `${api}/batches/${id}/timeline?limit=3`,
    `${api}/batches/${id}/ingress`,
    `${api}/batches/${id}/gaps`,
    `${api}/batches/${id}/quarantine`,
    `${api}/batches/${id}/timeline?type=OdForecastIssued&type=ForecastWithheld&type=ProcessWindowDerived`,
    `${api}/batches/${id}/forecasts?limit=4`,
    `${api}/batches/${id}/forecasts?order=desc&format=csv`,
    `${api}/batches/${id}/forecasts?points=3`,
    `${api}/batches/${id}/forecasts/coverage`,
    `${api}/batches/${id}/forecasts/withheld`,
    `${api}/batches/${id}/derived?key=CER`,
    `${api}/batches/${id}/derived?key=CER&reduce=mean&points=4`,
    `${api}/batches/${id}/derived?key=CER&reduce=minmax&points=4`,
    `${api}/batches/${id}/process-windows`,
    `${api}/batches/${id}/samples`,
  ]),
]
const at = (question: string, position: bigint) =>
  `${question}${question.includes('?') ? '&' : '?'}asOfPosition=${position}`

/** Answers that are problems carry a correlation id: only what they say of the past counts. */
const bytesOf = (answer: { status: number; body: string }) =>
  answer.status === 200 ? answer.body : `${answer.status} ${JSON.parse(answer.body).code}`

test('a question about a passed position has the same bytes for ever: while more is recorded, and after a rebuild', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      histories(40),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 25 }),
      async (history, pageSize, piece) => {
        await t.test('one history', async (t) => {
          const side = await readSide(t)
          const projector = await side.startProjector({ pageSize })
          const asked = new Map<string, string>()
          let asOf = 0n
          for (let start = 0; start < history.length; start += piece) {
            const last = await side.append(history.slice(start, start + piece))
            await side.projected(last)
            // Every position of this piece, half of the questions each time.
            for (; asOf <= last; asOf++)
              for (const [index, question] of questions.entries())
                if (index % 2 === Number(asOf % 2n)) {
                  const answer = bytesOf(await side.get(at(question, asOf)))
                  // Before the batch exists there is nothing to hold on to but that.
                  asked.set(at(question, asOf), answer)
                }
          }
          for (const [question, answer] of asked) {
            const again = bytesOf(await side.get(question))
            if (!answer.startsWith('404')) assert.equal(again, answer, question)
          }
          await projector.stop()
          const report = await rebuildReadModels({
            store: side.store,
            adminUrl: side.adminUrl,
            pageSize: 1_000,
          })
          assert.deepEqual(report.differences, [])
          assert.equal(report.switched, true)
          for (const [question, answer] of asked) {
            const again = bytesOf(await side.get(question))
            if (!answer.startsWith('404')) assert.equal(again, answer, `after the rebuild: ${question}`)
          }
        })
      },
    ),
    { numRuns: 6 },
  )
})

test('asOf an instant answers with the last position recorded by then, and names it', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const id = batchIds[0]
  await side.append([batchCreated(id), inoculated(id)])
  const last = await side.append([reading(id, 'pH', testStartMs, 5.01)])
  const recordedAt = String(await side.store.recordedAtOf(last))
  await new Promise((settle) => setTimeout(settle, 5))
  await side.append([reading(id, 'pH', testStartMs + 1_000, 5.02)])
  const byTime = await side.get(`${api}/batches/${id}/series?tag=pH&asOf=${recordedAt}`)
  const byPosition = await side.get(`${api}/batches/${id}/series?tag=pH&asOfPosition=${last}`)
  assert.equal(byTime.status, 200)
  assert.equal(byTime.body, byPosition.body)
  assert.equal(byTime.headers['as-of-position'], String(last))
  assert.equal(byTime.headers['as-of-recorded'], recordedAt)
  assert.deepEqual(byTime.json().asOf, { position: String(last), recordedAt })
})

test('before anything was recorded lists are empty and stand at position 0', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  for (const question of [
    `${api}/batches`,
    `${api}/batches?asOf=2001-01-01T00:00:00.000Z`,
    `${api}/batches?asOfPosition=0`,
  ]) {
    const answer = await side.get(question)
    assert.equal(answer.status, 200, answer.body)
    assert.deepEqual(answer.json(), { items: [], next: null, asOf: { position: '0', recordedAt: null } })
  }
})

test('what cannot be asked gets a problem that names parameter and rule', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const id = batchIds[0]
  const first = await side.append([batchCreated(batchIds[1], 2)])
  await side.projected(await side.append([batchCreated(id)]))
  const future = new Date(Date.now() + 3_600_000).toISOString()
  const cases: [string, number, string][] = [
    [`${api}/batches?asOf=2026-01-01T00:00:00.000Z&asOfPosition=1`, 400, 'invalid-request'],
    [`${api}/batches?asOf=yesterday`, 400, 'invalid-request'],
    [`${api}/batches?asOf=2026-02-31T00:00:00.000Z`, 400, 'invalid-request'],
    [`${api}/batches?asOfPosition=-1`, 400, 'invalid-request'],
    [`${api}/batches?asOfPosition=9999999999999999999`, 400, 'invalid-request'],
    [`${api}/batches?colour=red`, 400, 'invalid-request'],
    [`${api}/batches?after=nonsense`, 400, 'invalid-request'],
    [`${api}/batches?limit=1001`, 400, 'invalid-request'],
    [`${api}/batches?asOf=${future}`, 422, 'future-instant'],
    [`${api}/batches?asOfPosition=999`, 422, 'future-position'],
    [`${api}/batches/${id}/series?tag=Sugar`, 422, 'unknown-tag'],
    [`${api}/batches/${id}/series`, 400, 'invalid-request'],
    [
      `${api}/batches/${id}/series?tag=pH&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z`,
      422,
      'empty-range',
    ],
    [`${api}/batches/nonsense`, 404, 'unknown-batch'],
    [`${api}/batches/01980000-0000-7000-8000-0000000000ff/timeline`, 404, 'unknown-batch'],
    [`${api}/batches/${id}?asOfPosition=${first}`, 404, 'unknown-batch'],
    [`${api}/live`, 400, 'invalid-request'],
    [`${api}/live?batch=nonsense`, 404, 'unknown-batch'],
  ]
  for (const [url, status, code] of cases) {
    const answer = await side.get(url)
    assert.equal(answer.status, status, `${url}: ${answer.body}`)
    assert.equal(answer.json().code, code, url)
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  }
})

test('a position that is recorded but not projected yet: 503 with Retry-After, and the answer once it is', async (t) => {
  const side = await readSide(t)
  const last = await side.append([batchCreated(batchIds[0])])
  const waiting = await side.get(`${api}/batches?asOfPosition=${last}`)
  assert.equal(waiting.status, 503)
  assert.equal(waiting.headers['retry-after'], '1')
  const asked = side.get(`${api}/batches?asOfPosition=${last}`)
  await side.startProjector()
  assert.equal((await asked).status, 200)
})

test('pages of a list fit together although more is recorded between them', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const id = batchIds[0]
  await side.projected(
    await side.append([
      batchCreated(id),
      ...Array.from({ length: 60 }, (_, second) => reading(id, 'pH', testStartMs + second * 10_000, second)),
    ]),
  )
  const whole = (await side.get(`${api}/batches/${id}/windows?tag=pH`)).json().items as unknown[]
  const items: unknown[] = []
  let url: string | undefined = `${api}/batches/${id}/windows?tag=pH&limit=7`
  while (url) {
    const answer = await side.get(url)
    assert.equal(answer.status, 200, answer.body)
    items.push(...(answer.json().items as unknown[]))
    const link = answer.headers.link === undefined ? undefined : String(answer.headers.link)
    url = link?.slice(1, link.indexOf('>'))
    // One late into windows of later pages, one that opens a window past the end.
    await side.projected(
      await side.append([
        reading(id, 'pH', testStartMs + 580_000 + items.length, 99),
        reading(id, 'pH', testStartMs + 600_000 + items.length * 30_000, 99),
      ]),
    )
  }
  assert.deepEqual(items, whole)
})
