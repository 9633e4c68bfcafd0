/**
 * GO or NO-GO for the inoculum (process description): OD600 2.0 to 6.0 as measured (after its own dilution),
 * viability above 90 %, at least 100 mL, microscopy clean. Below 2.0, or above 6.0 up to 10.0, only with the
 * override of a process engineer. What was not measured is not judged.
 */
import type { Actor } from '../../schemas/event.ts'
import type { BatchCommand } from './commands.ts'
import { compareDecimals } from './decimal.ts'
import type { Findings } from './decision.ts'
import { inoculumOverrideRoles } from './permissions.ts'

type Inoculation = Extract<BatchCommand, { kind: 'inoculate' }>['request']

const inoculumWindow = { low: '2.0', high: '6.0', highest: '10.0' } as const

export function checkInoculum(request: Inoculation, actor: Actor, findings: Findings): void {
  if (request.goDecision === false)
    findings.add(
      'no-go',
      'goDecision',
      false,
      'a batch is inoculated only on GO; record a NO-GO as a deviation',
    )
  if (request.microscopyClean === false)
    findings.add('microscopy-not-clean', 'microscopyClean', false, 'the microscopy of the inoculum is clean')
  const { viabilityPercent, inoculumVolumeMl, dilutionFactor } = request
  if (viabilityPercent !== undefined && !(above(viabilityPercent, '90') && !above(viabilityPercent, '100')))
    findings.add('viability-too-low', 'viabilityPercent', viabilityPercent, 'above 90 and at most 100 %')
  if (inoculumVolumeMl !== undefined && above('100', inoculumVolumeMl))
    findings.add('inoculum-too-small', 'inoculumVolumeMl', inoculumVolumeMl, 'at least 100 mL')
  if (dilutionFactor !== undefined && (above('1', dilutionFactor) || above(dilutionFactor, '1000')))
    findings.add('out-of-range', 'dilutionFactor', dilutionFactor, '1 to 1000')
  checkOpticalDensity(request, actor, findings)
}

function checkOpticalDensity(request: Inoculation, actor: Actor, findings: Findings): void {
  const { inoculumOd600: od } = request
  if (od === undefined) return
  const { low, high, highest } = inoculumWindow
  if (!above(od, '0')) findings.add('out-of-range', 'inoculumOd600', od, 'above 0')
  else if (above(od, highest))
    findings.add('inoculum-od-out-of-window', 'inoculumOd600', od, `at most ${highest}, override or not`)
  else if (above(low, od) || above(od, high)) {
    if (!request.override)
      findings.add(
        'inoculum-od-out-of-window',
        'inoculumOd600',
        od,
        `${low} to ${high}, or up to ${highest} or below ${low} with the override of a process engineer`,
      )
    else if (!(inoculumOverrideRoles as readonly string[]).includes(actor.role))
      findings.add(
        'override-not-allowed',
        'override',
        actor.role,
        `an override by ${inoculumOverrideRoles.join(', ')}`,
      )
  }
}

const above = (value: string, limit: string) => compareDecimals(value, limit) > 0
