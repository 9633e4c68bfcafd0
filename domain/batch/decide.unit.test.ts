import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Actor } from '../../schemas/event.ts'
import { validateForAppend } from '../../schemas/events/registry.ts'
import { evolve, initialState } from './batch.ts'
import type { BatchCommand } from './commands.ts'
import { decide } from './decide.ts'
import type { Fact, Rejection } from './decision.ts'
import { permissions, roles } from './permissions.ts'

const batchId = '019ab000-0000-7000-8000-000000000001'
const eventId = '019ab000-0000-7000-8000-0000000000ff'
const now = '2026-11-21T12:00:00.000Z'
const engineer: Actor = { kind: 'human', id: 'e-1', role: 'process_engineer' }

const happened = (type: string, occurredAt: string, data: Record<string, unknown> = {}) => ({
  type,
  occurredAt,
  origin: 'live' as const,
  data: { batchId, ...data },
})
const created = happened('BatchCreated', '2026-11-21T08:00:00.000Z', { vessel: 'V-01' })
const inoculated = happened('BatchInoculated', '2026-11-21T09:00:00.000Z')
const sample = (at: string) => happened('SampleTaken', `2026-11-21T${at}:00.000Z`)
const running = [created, inoculated]
const sampledEightTimes = [
  ...running,
  ...['09:00', '09:10', '09:20', '09:30', '09:40', '09:50', '10:00', '10:10'].map(sample),
]
const closed = [...sampledEightTimes, happened('BatchClosed', '2026-11-21T11:00:00.000Z')]
const aborted = [created, happened('BatchAborted', '2026-11-21T11:00:00.000Z')]
const givenUp = [happened('StreamSealed', '2026-11-21T08:00:00.000Z')]

function given(events: readonly ReturnType<typeof happened>[], actor: Actor = engineer) {
  const state = events.reduce(evolve, initialState)
  const when = (command: BatchCommand) => decide(state, command, { batchId, eventId, actor, receivedAt: now })
  return {
    accepts: (command: BatchCommand): Fact => {
      const decision = when(command)
      assert.equal(decision.kind, 'accepted', JSON.stringify(decision))
      if (decision.kind !== 'accepted') throw new Error('unreachable')
      validateForAppend({
        id: eventId,
        schemaVersion: 1,
        receivedAt: now,
        actor,
        origin: 'live',
        site: 'site-1',
        ...decision.fact,
      })
      return decision.fact
    },
    rejects: (command: BatchCommand): readonly Rejection[] => {
      const decision = when(command)
      assert.equal(decision.kind, 'rejected', JSON.stringify(decision))
      if (decision.kind !== 'rejected') throw new Error('unreachable')
      for (const rejection of decision.rejections) {
        assert.ok(rejection.code && rejection.rule && rejection.state)
        assert.ok(Array.isArray(rejection.allowed))
      }
      return decision.rejections
    },
  }
}

type Request<Kind extends BatchCommand['kind']> = Extract<BatchCommand, { kind: Kind }>['request']
const create = (request: Partial<Request<'create'>> = {}): BatchCommand => ({
  kind: 'create',
  request: { number: 1, phase: 'A', vessel: 'V-01', ...request },
})
const inoculate = (request: Request<'inoculate'> = {}): BatchCommand => ({ kind: 'inoculate', request })
const takeSample = (request: Partial<Request<'sample'>> = {}): BatchCommand => ({
  kind: 'sample',
  request: { od600Raw: '0.412', ...request },
})
const close = (request: Partial<Request<'close'>> = {}): BatchCommand => ({
  kind: 'close',
  request: { finalOd600: '59.5', doSpikeObserved: true, approvedBy: 'qa-7', ...request },
})
const abort = (request: Partial<Request<'abort'>> = {}): BatchCommand => ({
  kind: 'abort',
  request: {
    outcome: 'Aborted_Other',
    reason: { code: 'operator', text: 'the exhaust filter clogged' },
    ...request,
  },
})

const codes = (rejections: readonly Rejection[]) => rejections.map((rejection) => rejection.code)

test('the least that can be said creates a batch of the plan, first attempt, performed now', () => {
  assert.deepEqual(given([]).accepts(create()), {
    type: 'BatchCreated',
    occurredAt: now,
    data: {
      batchId,
      number: 1,
      attempt: 1,
      phase: 'A',
      vessel: 'V-01',
      campaign: 'glycerol-18',
      lateEntry: false,
    },
  })
})

test('the numbers of the plan belong to their phases', () => {
  for (const [phase, number, fits] of [
    ['A', 1, true],
    ['A', 3, true],
    ['A', 4, false],
    ['B', 3, false],
    ['B', 4, true],
    ['B', 15, true],
    ['B', 16, false],
    ['C', 15, false],
    ['C', 16, true],
    ['C', 18, true],
    ['C', 19, false],
  ] as const)
    if (fits) given([]).accepts(create({ phase, number }))
    else {
      const [rejection] = given([]).rejects(create({ phase, number }))
      assert.deepEqual(
        [rejection?.code, rejection?.field, rejection?.value],
        ['number-outside-phase', 'number', number],
      )
    }
})

test('a batch outside the plan names its own campaign and takes any number', () => {
  const fact = given([]).accepts(create({ campaign: 'replay-2018', number: 23, phase: 'A', attempt: 2 }))
  assert.deepEqual([fact.data.campaign, fact.data.number, fact.data.attempt], ['replay-2018', 23, 2])
  assert.deepEqual(codes(given([]).rejects(create({ campaign: 'glycerol-18', number: 23, phase: 'C' }))), [
    'number-outside-phase',
  ])
})

test('where a batch comes from stands in the envelope, not in the payload', () => {
  assert.equal('origin' in given([]).accepts(create({ origin: 'simulated' })).data, false)
})

test('creation in the past is a late entry, in the future refused', () => {
  const fact = given([]).accepts(create({ occurredAt: '2026-11-21T09:00:00+02:00' }))
  assert.deepEqual([fact.occurredAt, fact.data.lateEntry], ['2026-11-21T07:00:00.000Z', true])
  const [rejection] = given([]).rejects(create({ occurredAt: '2026-11-21T12:06:00Z' }))
  assert.deepEqual([rejection?.code, rejection?.field], ['impossible-time', 'occurredAt'])
})

test('inoculation needs nothing said, and sets T = 0 to when it was performed', () => {
  assert.deepEqual(given([created]).accepts(inoculate()), {
    type: 'BatchInoculated',
    occurredAt: now,
    data: { batchId, goDecision: true, lateEntry: false },
  })
  const late = given([created]).accepts(inoculate({ occurredAt: '2026-11-20T10:00:00.000Z' }))
  assert.deepEqual([late.occurredAt, late.data.lateEntry], ['2026-11-20T10:00:00.000Z', true])
})

test('what the technician said about the inoculum is kept as typed', () => {
  const said = {
    inoculumOd600: '4.50',
    dilutionFactor: '10',
    inoculumVolumeMl: '100',
    inoculumSource: 'flask 3',
    viabilityPercent: '95.0',
    microscopyClean: true,
    microscopyObservations: 'single budding cells',
  }
  assert.deepEqual(given([created]).accepts(inoculate({ ...said, goDecision: true })).data, {
    batchId,
    ...said,
    goDecision: true,
    lateEntry: false,
  })
})

test('NO-GO, a dirty microscopy, dying cells and too little inoculum are refused, all named at once', () => {
  const rejections = given([created]).rejects(
    inoculate({
      goDecision: false,
      microscopyClean: false,
      viabilityPercent: '90.0',
      inoculumVolumeMl: '99.9',
      dilutionFactor: '0.5',
    }),
  )
  assert.deepEqual(codes(rejections), [
    'no-go',
    'microscopy-not-clean',
    'viability-too-low',
    'inoculum-too-small',
    'out-of-range',
  ])
  assert.deepEqual(codes(given([created]).rejects(inoculate({ viabilityPercent: '100.1' }))), [
    'viability-too-low',
  ])
  given([created]).accepts(
    inoculate({ viabilityPercent: '90.01', inoculumVolumeMl: '100.0', dilutionFactor: '1' }),
  )
})

const override = { approvedBy: 'e-2', justification: 'slow flask, microscopy fine' }

test('an inoculum from OD600 2.0 to 6.0 is GO, outside only with an override, above 10.0 never', () => {
  for (const od of ['2.0', '2', '6.0', '6', '4.0']) given([created]).accepts(inoculate({ inoculumOd600: od }))
  for (const od of ['1.99', '6.01', '10.0', '0.1']) {
    assert.deepEqual(codes(given([created]).rejects(inoculate({ inoculumOd600: od }))), [
      'inoculum-od-out-of-window',
    ])
    assert.deepEqual(
      given([created]).accepts(inoculate({ inoculumOd600: od, override })).data.override,
      override,
    )
  }
  for (const od of ['10.01', '40'])
    assert.deepEqual(codes(given([created]).rejects(inoculate({ inoculumOd600: od, override }))), [
      'inoculum-od-out-of-window',
    ])
  for (const od of ['0', '-1'])
    assert.deepEqual(codes(given([created]).rejects(inoculate({ inoculumOd600: od, override }))), [
      'out-of-range',
    ])
})

test('an override entered by a technician is refused', () => {
  const technician: Actor = { kind: 'human', id: 't-1', role: 'technician' }
  assert.deepEqual(codes(given([created], technician).rejects(inoculate({ inoculumOd600: '7', override }))), [
    'override-not-allowed',
  ])
})

test('a sample knows its number, its time since inoculation and its optical density', () => {
  const fact = given([...running, sample('10:00')]).accepts(
    takeSample({
      od600Raw: '0.3750',
      dilutionFactor: '50',
      occurredAt: '2026-11-21T11:20:00Z',
      scheduledPoint: '2h',
    }),
  )
  assert.deepEqual(fact, {
    type: 'SampleTaken',
    occurredAt: '2026-11-21T11:20:00.000Z',
    data: {
      batchId,
      sampleId: eventId,
      sampleNumber: 2,
      timepointHours: '2.33',
      scheduledPoint: '2h',
      od600Raw: '0.3750',
      dilutionFactor: '50',
      od600: '18.75',
      contaminationDetected: false,
      lateEntry: true,
    },
  })
  assert.equal(given(running).accepts(takeSample()).data.dilutionFactor, '1')
})

test('a sample up to 15 min before inoculation counts, an earlier one and one of the future do not', () => {
  const at = (occurredAt: string) => takeSample({ occurredAt })
  assert.equal(given(running).accepts(at('2026-11-21T08:45:00Z')).data.timepointHours, '-0.25')
  assert.deepEqual(codes(given(running).rejects(at('2026-11-21T08:44:59.999Z'))), ['before-inoculation'])
  assert.deepEqual(codes(given(running).rejects(at('2026-11-21T12:05:00.001Z'))), ['impossible-time'])
})

test('contamination without what the microscope showed is refused, blanks included', () => {
  for (const microscopyObservations of [undefined, '', '  \n'])
    assert.deepEqual(
      codes(
        given(running).rejects(
          takeSample({
            contaminationDetected: true,
            ...(microscopyObservations === undefined ? {} : { microscopyObservations }),
          }),
        ),
      ),
      ['microscopy-missing'],
    )
  given(running).accepts(
    takeSample({ contaminationDetected: true, microscopyObservations: 'rods among the yeast' }),
  )
})

test('impossible densities, dilutions and volumes are refused, all named at once', () => {
  const rejections = given(running).rejects(
    takeSample({ od600Raw: '-0.1', dilutionFactor: '0.9', volumeMl: '-1' }),
  )
  assert.deepEqual(
    rejections.map(({ code, field, value }) => [code, field, value]),
    [
      ['out-of-range', 'od600Raw', '-0.1'],
      ['out-of-range', 'volumeMl', '-1'],
    ],
  )
  assert.deepEqual(codes(given(running).rejects(takeSample({ dilutionFactor: '1000.1' }))), ['out-of-range'])
})

test('the limits themselves are possible', () => {
  given(running).accepts(takeSample({ od600Raw: '9999.9999', dilutionFactor: '1000', volumeMl: '1000' }))
  given(running).accepts(takeSample({ od600Raw: '0', dilutionFactor: '1.0', volumeMl: '0' }))
  given(sampledEightTimes).accepts(close({ finalOd600: '0', maxDoPercent: '200.0', cumulativeBaseMl: '0' }))
})

test('a batch with eight samples is closed with its runtime', () => {
  const fact = given(sampledEightTimes).accepts(
    close({ closedBy: 't-1', approvedBy: 'qa-7', occurredAt: '2026-11-21T11:30:00Z' }),
  )
  assert.deepEqual(fact.data, {
    batchId,
    outcome: 'Complete',
    finalOd600: '59.5',
    totalRuntimeHours: '2.50',
    doSpikeObserved: true,
    closedBy: 't-1',
    approvedBy: 'qa-7',
    lateEntry: true,
  })
})

test('a batch with seven samples is not closed', () => {
  const [rejection] = given(sampledEightTimes.slice(0, -1)).rejects(close())
  assert.deepEqual(
    [rejection?.kind, rejection?.code, rejection?.value, rejection?.allowed],
    ['state', 'too-few-samples', 7, ['samples', 'abort']],
  )
})

test('who closes does not approve, whether named or entering it', () => {
  assert.deepEqual(codes(given(sampledEightTimes).rejects(close({ approvedBy: 'e-1' }))), [
    'approver-is-closer',
  ])
  assert.deepEqual(codes(given(sampledEightTimes).rejects(close({ approvedBy: 't-1', closedBy: 't-1' }))), [
    'approver-is-closer',
  ])
})

test('naming somebody else as the closer does not let the one who enters it approve', () => {
  assert.deepEqual(codes(given(sampledEightTimes).rejects(close({ approvedBy: 'e-1', closedBy: 't-1' }))), [
    'approver-is-closer',
  ])
})

test('glycerol cannot be depleted after the batch has ended', () => {
  assert.equal(given(sampledEightTimes).rejects(close({ glycerolDepletionHours: '9000' })).length, 1)
})

test('impossible closing figures are refused, all named at once', () => {
  const rejections = given(sampledEightTimes).rejects(
    close({
      finalOd600: '-1',
      glycerolDepletionHours: '-1',
      maxDoPercent: '200.1',
      cumulativeBaseMl: '-0.1',
    }),
  )
  assert.deepEqual(
    rejections.map((rejection) => rejection.field),
    ['finalOd600', 'glycerolDepletionHours', 'maxDoPercent', 'cumulativeBaseMl'],
  )
})

test('a batch does not end before its inoculation or its last sample', () => {
  assert.deepEqual(codes(given(sampledEightTimes).rejects(close({ occurredAt: '2026-11-21T10:09:59Z' }))), [
    'ends-before-it-happened',
  ])
  assert.deepEqual(codes(given(running).rejects(abort({ occurredAt: '2026-11-21T08:59:59Z' }))), [
    'ends-before-it-happened',
  ])
  assert.deepEqual(codes(given([created]).rejects(abort({ occurredAt: '2026-11-21T07:59:59Z' }))), [
    'ends-before-it-happened',
  ])
  given(sampledEightTimes).accepts(close({ occurredAt: '2026-11-21T10:10:00Z' }))
  const sampledBeforeStart = [...running, sample('08:50')]
  assert.deepEqual(codes(given(sampledBeforeStart).rejects(abort({ occurredAt: '2026-11-21T08:55:00Z' }))), [
    'ends-before-it-happened',
  ])
  const enteredOutOfOrder = [...running, sample('10:00'), sample('09:30')]
  assert.deepEqual(codes(given(enteredOutOfOrder).rejects(abort({ occurredAt: '2026-11-21T09:45:00Z' }))), [
    'ends-before-it-happened',
  ])
})

test('an abort needs no samples, carries its reason, and has a runtime only after inoculation', () => {
  const pending = given([created]).accepts(abort())
  assert.deepEqual(pending.reason, { code: 'operator', text: 'the exhaust filter clogged' })
  assert.deepEqual(pending.data, { batchId, outcome: 'Aborted_Other', lateEntry: false })
  assert.equal(given(running).accepts(abort()).data.totalRuntimeHours, '3.00')
})

const histories = {
  absent: [],
  void: givenUp,
  pending: [created],
  running: sampledEightTimes,
  complete: closed,
  aborted,
} as const
const commands: readonly BatchCommand[] = [create(), inoculate(), takeSample(), close(), abort()]
const possible: Readonly<Record<keyof typeof histories, readonly BatchCommand['kind'][]>> = {
  absent: ['create'],
  void: [],
  pending: ['inoculate', 'abort'],
  running: ['sample', 'close', 'abort'],
  complete: [],
  aborted: [],
}
for (const state of Object.keys(histories) as (keyof typeof histories)[])
  for (const command of commands)
    test(`${command.kind} is ${possible[state].includes(command.kind) ? 'possible' : 'refused'} while the batch is ${state}`, () => {
      if (possible[state].includes(command.kind)) given(histories[state]).accepts(command)
      else {
        const [rejection] = given(histories[state]).rejects(command)
        assert.deepEqual(
          [rejection?.kind, rejection?.code, rejection?.state],
          ['state', 'wrong-state', state],
        )
        assert.equal(rejection?.allowed.length, possible[state].length)
      }
    })

const possibleStateOf = {
  create: 'absent',
  inoculate: 'pending',
  sample: 'running',
  close: 'running',
  abort: 'running',
} as const
for (const command of commands)
  for (const role of [...roles, 'visitor'])
    test(`${role} ${(permissions[command.kind] as readonly string[]).includes(role) ? 'may' : 'may not'} ${command.kind}`, () => {
      const by = given(histories[possibleStateOf[command.kind]], { kind: 'human', id: 'p-1', role })
      if ((permissions[command.kind] as readonly string[]).includes(role)) by.accepts(command)
      else
        assert.deepEqual(
          [by.rejects(command)[0]?.kind, codes(by.rejects(command))],
          ['authority', ['role-not-allowed']],
        )
    })

test('only engineers and admins end a batch; who reviews and who audits gives no commands', () => {
  assert.deepEqual(permissions.close, ['process_engineer', 'admin'])
  assert.deepEqual(permissions.abort, ['process_engineer', 'admin'])
  for (const may of Object.values(permissions)) assert.ok(!may.includes('qa') && !may.includes('auditor'))
})
