import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { isTimeZone, type TimeFormat, timeFormat, timeResolver } from './local-time.ts'

const format = (name: string): TimeFormat => {
  const found = timeFormat(name)
  assert.ok(found)
  return found
}
const resolveAll = (texts: readonly string[], zone = 'Europe/Vienna', name = 'iso') => {
  const resolve = timeResolver(format(name), zone)
  return texts.map((text) => {
    const answer = resolve(text)
    return 'ms' in answer ? new Date(answer.ms).toISOString() : answer.rule
  })
}

test('the repeated hour of autumn comes out in true order by the order of the rows', () => {
  assert.deepEqual(
    resolveAll([
      '2018-10-28T01:57:12',
      '2018-10-28T02:12:12',
      '2018-10-28T02:57:12',
      '2018-10-28T02:12:12',
      '2018-10-28T02:57:12',
      '2018-10-28T03:12:12',
    ]),
    [
      '2018-10-27T23:57:12.000Z',
      '2018-10-28T00:12:12.000Z',
      '2018-10-28T00:57:12.000Z',
      '2018-10-28T01:12:12.000Z',
      '2018-10-28T01:57:12.000Z',
      '2018-10-28T02:12:12.000Z',
    ],
  )
})

test('any rows across a clock change come out in order, at instants that show the local times written', () => {
  const around = Date.parse('2018-10-28T00:00:00Z')
  fc.assert(
    fc.property(
      fc.integer({ min: -3600, max: 0 }),
      fc.array(fc.integer({ min: 1, max: 3599 }), { minLength: 1, maxLength: 30 }),
      (start, steps) => {
        let second = start
        const instants = [around + start * 1000]
        for (const step of steps) {
          second += step
          instants.push(around + second * 1000)
        }
        const locals = instants.map((ms) =>
          Temporal.Instant.fromEpochMilliseconds(ms)
            .toZonedDateTimeISO('Europe/Vienna')
            .toPlainDateTime()
            .toString(),
        )
        const found = resolveAll(locals)
        for (let index = 1; index < found.length; index++)
          assert.ok((found[index] ?? '') >= (found[index - 1] ?? ''))
        for (const [index, text] of found.entries()) {
          const back = Temporal.Instant.from(text)
            .toZonedDateTimeISO('Europe/Vienna')
            .toPlainDateTime()
            .toString()
          assert.equal(back, locals[index])
        }
      },
    ),
  )
})

test('a time in the gap of spring does not exist', () => {
  const [first, gap] = resolveAll(['2019-03-31T01:45:00', '2019-03-31T02:15:00'])
  assert.equal(first, '2019-03-31T00:45:00.000Z')
  assert.match(gap ?? '', /exists in Europe\/Vienna/)
})

test('a time before the row above is refused when no clock change explains it', () => {
  assert.match(
    resolveAll(['2018-10-10T10:00:00', '2018-10-10T09:59:59'])[1] ?? '',
    /not before the row above/,
  )
  assert.match(
    resolveAll(['2018-10-28T02:30:00', '2018-10-28T02:30:00', '2018-10-28T02:15:00'])[2] ?? '',
    /not before the row above/,
  )
  assert.match(
    resolveAll(['2018-10-28T00:57:12Z', '2018-10-28T00:12:12Z'])[1] ?? '',
    /not before the row above/,
  )
})

test('equal times of two rows stay equal', () => {
  assert.deepEqual(resolveAll(['2018-10-10T10:00:00', '2018-10-10T10:00:00']), [
    '2018-10-10T08:00:00.000Z',
    '2018-10-10T08:00:00.000Z',
  ])
})

test('a time with its zone is taken as it is', () => {
  assert.deepEqual(
    resolveAll(['2018-10-28T02:12:12+02:00', '2018-10-28T02:12:12+0100', '2018-10-28 03:00:00Z']),
    ['2018-10-28T00:12:12.000Z', '2018-10-28T01:12:12.000Z', '2018-10-28T03:00:00.000Z'],
  )
})

test('patterns and epochs are read, nonsense is not', () => {
  assert.deepEqual(resolveAll(['28.02.2024 13:05:09'], 'Europe/Vienna', 'dd.MM.yyyy HH:mm:ss'), [
    '2024-02-28T12:05:09.000Z',
  ])
  assert.deepEqual(resolveAll(['1540685532'], 'UTC', 'epoch-seconds'), ['2018-10-28T00:12:12.000Z'])
  assert.deepEqual(resolveAll(['1540685532123'], 'UTC', 'epoch-milliseconds'), ['2018-10-28T00:12:12.123Z'])
  for (const text of ['', '30.02.2024 10:00:00', '28.02.2024', '28.02.2024 24:00:00', 'yesterday'])
    assert.match(resolveAll([text], 'UTC', 'dd.MM.yyyy HH:mm:ss')[0] ?? '', /format/)
  for (const text of ['', '2024-02-30T10:00:00', '2024-02-28', '2024-02-28T10', '28/02/2024'])
    assert.match(resolveAll([text])[0] ?? '', /format/)
  assert.equal(timeFormat('HH:mm'), undefined)
  assert.equal(timeFormat('yyyy yyyy MM dd'), undefined)
})

test('time zones are IANA names', () => {
  assert.ok(isTimeZone('Europe/Vienna'))
  assert.ok(isTimeZone('UTC'))
  assert.ok(!isTimeZone('Nowhere/X'))
  assert.ok(!isTimeZone(''))
})
