/**
 * The rules of a batch's life (process description, with its corrections): pending → running → complete | aborted.
 * Pure: state, command and circumstances in; the fact to record, or every broken rule, out. Authority comes first,
 * then the state, then all values at once.
 */
import type { BatchState, ExistingBatch } from './batch.ts'
import type { BatchCommand, Circumstances } from './commands.ts'
import { compareDecimals, hoursWithTwoDecimals, scaleMeasured } from './decimal.ts'
import { createFindings, type Decision, type Fact, type Findings, type Rejection } from './decision.ts'
import { checkInoculum } from './inoculation-gate.ts'
import { permissions } from './permissions.ts'
import { millisecondsBetween, performedAt } from './time.ts'

/** Batches that name no campaign belong to the plan of 18. */
const plannedCampaign = 'glycerol-18'
const plannedNumbers = { A: [1, 3], B: [4, 15], C: [16, 18] } as const
const samplesToClose = 8
const sampleBeforeInoculationMs = 15 * 60_000

const allowedIn = {
  absent: ['create'],
  void: [],
  pending: ['inoculation', 'abort'],
  running: ['samples', 'closure', 'abort'],
  complete: [],
  aborted: [],
} as const satisfies Record<BatchState['status'], readonly string[]>

const possibleIn: Readonly<Record<BatchCommand['kind'], readonly BatchState['status'][]>> = {
  create: ['absent'],
  inoculate: ['pending'],
  sample: ['running'],
  close: ['running'],
  abort: ['pending', 'running'],
}

export function decide(state: BatchState, command: BatchCommand, circumstances: Circumstances): Decision {
  const { role } = circumstances.actor
  const mayDo: readonly string[] = permissions[command.kind]
  if (!mayDo.includes(role))
    return reject(state, {
      kind: 'authority',
      code: 'role-not-allowed',
      rule: `${command.kind} is for ${mayDo.join(', ')}`,
      allowed: mayDo,
      field: 'role',
      value: role,
    })
  if (!possibleIn[command.kind].includes(state.status))
    return reject(state, {
      kind: 'state',
      code: 'wrong-state',
      rule: `${command.kind} needs a batch that is ${possibleIn[command.kind].join(' or ')}`,
      allowed: allowedIn[state.status],
    })
  if (command.kind === 'close' && 'sampleCount' in state && state.sampleCount < samplesToClose)
    return reject(state, {
      kind: 'state',
      code: 'too-few-samples',
      rule: `a batch is closed as complete with at least ${samplesToClose} samples; one that ended early is aborted`,
      allowed: allowedIn[state.status].filter((step) => step !== 'closure'),
      field: 'sampleCount',
      value: state.sampleCount,
    })
  const findings = createFindings()
  const when = performedAt(command.request.occurredAt, circumstances.receivedAt)
  if (when.kind === 'impossible') {
    findings.add('impossible-time', 'occurredAt', command.request.occurredAt, when.rule)
    return conclude(state, findings, undefined)
  }
  return conclude(state, findings, factOf(state, command, { ...circumstances, ...when }, findings))
}

type Performed = Circumstances & { readonly occurredAt: string; readonly lateEntry: boolean }

function factOf(state: BatchState, command: BatchCommand, performed: Performed, findings: Findings): Fact {
  if (command.kind === 'create') return created(command.request, performed, findings)
  if (state.status === 'absent' || state.status === 'void')
    throw new Error('a batch that does not exist was let through')
  switch (command.kind) {
    case 'inoculate':
      return inoculated(command.request, performed, findings)
    case 'sample':
      return sampled(state, command.request, performed, findings)
    case 'close':
      return closed(state, command.request, performed, findings)
    case 'abort':
      return aborted(state, command.request, performed, findings)
  }
}

type RequestOf<Kind extends BatchCommand['kind']> = Extract<BatchCommand, { kind: Kind }>['request']

function created(request: RequestOf<'create'>, performed: Performed, findings: Findings): Fact {
  const { origin: _, occurredAt: __, ...given } = request
  const campaign = request.campaign ?? plannedCampaign
  const [first, last] = plannedNumbers[request.phase]
  if (campaign === plannedCampaign && (request.number < first || request.number > last))
    findings.add(
      'number-outside-phase',
      'number',
      request.number,
      `phase ${request.phase} of campaign ${plannedCampaign} has the numbers ${first} to ${last}; a batch outside the plan names its own campaign`,
    )
  return fact('BatchCreated', performed, { ...given, campaign, attempt: request.attempt ?? 1 })
}

function inoculated(request: RequestOf<'inoculate'>, performed: Performed, findings: Findings): Fact {
  checkInoculum(request, performed.actor, findings)
  const { occurredAt: _, microscopyClean, goDecision: __, ...given } = request
  return fact('BatchInoculated', performed, {
    ...given,
    ...(microscopyClean ? { microscopyClean } : {}),
    goDecision: true,
  })
}

function sampled(
  state: ExistingBatch,
  request: RequestOf<'sample'>,
  performed: Performed,
  findings: Findings,
): Fact {
  const { occurredAt: _, ...given } = request
  const sinceInoculationMs = millisecondsBetween(
    state.inoculatedAt ?? performed.occurredAt,
    performed.occurredAt,
  )
  if (sinceInoculationMs < -sampleBeforeInoculationMs)
    findings.add(
      'before-inoculation',
      'occurredAt',
      performed.occurredAt,
      `at most 15 min before inoculation (${state.inoculatedAt})`,
    )
  const dilutionFactor = request.dilutionFactor ?? '1'
  const measurable =
    within(findings, 'od600Raw', request.od600Raw, '0', '9999.9999') &&
    within(findings, 'dilutionFactor', dilutionFactor, '1', '1000')
  within(findings, 'volumeMl', request.volumeMl, '0', '1000')
  const contaminationDetected = request.contaminationDetected ?? false
  if (contaminationDetected && !request.microscopyObservations?.trim())
    findings.add(
      'microscopy-missing',
      'microscopyObservations',
      request.microscopyObservations,
      'contamination is recorded with what the microscope showed',
    )
  return fact('SampleTaken', performed, {
    ...given,
    sampleId: performed.eventId,
    sampleNumber: state.sampleCount + 1,
    timepointHours: hoursWithTwoDecimals(sinceInoculationMs),
    dilutionFactor,
    od600: measurable ? scaleMeasured(request.od600Raw, dilutionFactor) : '0',
    contaminationDetected,
  })
}

function closed(
  state: ExistingBatch,
  request: RequestOf<'close'>,
  performed: Performed,
  findings: Findings,
): Fact {
  const { occurredAt: _, ...given } = request
  // Whoever is named as the closer, the one who sends this closes too.
  const closers = [performed.actor.id, ...(request.closedBy === undefined ? [] : [request.closedBy])]
  if (closers.includes(request.approvedBy))
    findings.add(
      'approver-is-closer',
      'approvedBy',
      request.approvedBy,
      `another person than ${closers.join(' and ')}, who close`,
    )
  const totalRuntimeHours = runtimeHours(state, performed, findings)
  within(findings, 'finalOd600', request.finalOd600, '0', '9999.9999')
  within(findings, 'glycerolDepletionHours', request.glycerolDepletionHours, '0', totalRuntimeHours)
  within(findings, 'maxDoPercent', request.maxDoPercent, '0', '200')
  within(findings, 'cumulativeBaseMl', request.cumulativeBaseMl, '0', '99999')
  return fact('BatchClosed', performed, {
    ...given,
    outcome: 'Complete',
    totalRuntimeHours,
  })
}

function aborted(
  state: ExistingBatch,
  request: RequestOf<'abort'>,
  performed: Performed,
  findings: Findings,
): Fact {
  const { occurredAt: _, reason, ...given } = request
  const runtime = runtimeHours(state, performed, findings)
  return {
    ...fact('BatchAborted', performed, {
      ...given,
      ...(state.status === 'running' ? { totalRuntimeHours: runtime } : {}),
    }),
    reason,
  }
}

/** A batch ends after whatever is known to have happened in it. */
function runtimeHours(state: ExistingBatch, performed: Performed, findings: Findings): string {
  const start = state.inoculatedAt ?? state.createdAt
  const last = state.lastSampleAt !== undefined && state.lastSampleAt > start ? state.lastSampleAt : start
  if (performed.occurredAt < last)
    findings.add(
      'ends-before-it-happened',
      'occurredAt',
      performed.occurredAt,
      `not before ${last}, when the batch is known to have been open`,
    )
  return hoursWithTwoDecimals(millisecondsBetween(start, performed.occurredAt))
}

/** True when the value may be computed with; a field that is left out is within. */
function within(
  findings: Findings,
  field: string,
  value: string | undefined,
  low: string,
  high: string,
): boolean {
  if (value === undefined || (compareDecimals(value, low) >= 0 && compareDecimals(value, high) <= 0))
    return true
  findings.add('out-of-range', field, value, `${low} to ${high}`)
  return false
}

function fact(type: string, performed: Performed, data: Record<string, unknown>): Fact {
  const known = Object.entries({
    ...data,
    batchId: performed.batchId,
    lateEntry: performed.lateEntry,
  }).filter(([, value]) => value !== undefined)
  return { type, occurredAt: performed.occurredAt, data: Object.fromEntries(known) }
}

function conclude(state: BatchState, findings: Findings, accepted: Fact | undefined): Decision {
  const [first, ...more] = findings.list().map((finding) => ruleBroken(state, finding))
  if (first) return { kind: 'rejected', rejections: [first, ...more] }
  if (!accepted) throw new Error('neither a fact nor a broken rule')
  return { kind: 'accepted', fact: accepted }
}

function ruleBroken(state: BatchState, finding: ReturnType<Findings['list']>[number]): Rejection {
  return { kind: 'rule', ...finding, state: state.status, allowed: allowedIn[state.status] }
}

function reject(state: BatchState, rejection: Omit<Rejection, 'state'>): Decision {
  return { kind: 'rejected', rejections: [{ ...rejection, state: state.status }] }
}
