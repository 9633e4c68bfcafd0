/**
 * The simulator as a technician: creates the batch, inoculates at T = 0, records the scheduled samples when their
 * time has come and closes after depletion, all over the public HTTP API, with the times at which it happened in
 * the simulated batch.
 */

import { campaignPlan } from '../domain/campaign.ts'
import type { BatchRun } from '../domain/process-model/batch-run.ts'
import { depletionPoint, type Sample } from '../domain/process-model/sample-plan.ts'
import type { BatchApi } from './api-client.ts'
import { createFreeBatch } from './batch-names.ts'

export type Technician = {
  readonly batchId: string
  readonly vessel: string
  readonly inoculate: () => Promise<void>
  readonly record: (sample: Sample) => Promise<void>
  /** Nothing happens when glycerol was never depleted: such a batch is for a person to judge. */
  readonly close: (end: EndOfRun) => Promise<boolean>
}

export type EndOfRun = {
  readonly second: number
  readonly depletionHours: number | undefined
  readonly highestOxygenPercent: number
  readonly baseMl: number
}

export type TechnicianOptions = {
  readonly run: BatchRun
  readonly presetName: string
  readonly vessel: string
  readonly vesselIsFixed: boolean
  readonly campaign: string
  readonly number: number | undefined
  readonly startMs: number
  /** A batch that an interrupted run of the same kind has begun: what is recorded is not recorded again. */
  readonly resume?: { readonly batchId: string; readonly inoculated: boolean; readonly samples: number }
}

const technicianId = 'simulated-technician'
const engineerId = 'simulated-engineer'
const createdBeforeMs = 30 * 60_000

/** Creates the batch half an hour before T = 0. Throws what the API client throws. */
export async function technicianFor(api: BatchApi, options: TechnicianOptions): Promise<Technician> {
  const { run, presetName, startMs } = options
  const number = options.number ?? Number(/^batch-(\d+)$/.exec(presetName)?.[1] ?? 1)
  const planned = campaignPlan.find((batch) => batch.number === number)
  const { resume } = options
  const { batchId, vessel } = resume
    ? { batchId: resume.batchId, vessel: options.vessel }
    : await createFreeBatch(
        api,
        {
          campaign: options.campaign,
          number,
          phase: planned?.phase ?? 'B',
          vessel: options.vessel,
          operatorId: technicianId,
          variation: `Simulated ${presetName}`,
          notes: `Simulated batch: ${presetName}, seed ${run.seed}, noise ${run.noise}`,
          origin: 'simulated',
          occurredAt: at(startMs - createdBeforeMs),
        },
        { changeVessel: !options.vesselIsFixed },
      )
  // What was measured in the seed; the OD at T = 0 differs from a tenth of it by the error of the transfer.
  const inoculumOd = /^batch-/.test(presetName) && planned ? planned.inoculumOd : run.settings.start.od * 10
  let finalOd: string | undefined
  let samples = 0

  return {
    batchId,
    vessel,
    inoculate: async () => {
      if (resume?.inoculated) return
      await api.inoculate(batchId, {
        goDecision: true,
        inoculumOd600: inoculumOd.toFixed(2),
        inoculumVolumeMl: '100',
        inoculumSource: 'simulated seed culture',
        viabilityPercent: '95',
        microscopyClean: true,
        occurredAt: at(startMs),
      })
    },
    record: async (sample) => {
      samples++
      if (sample.scheduledPoint === depletionPoint)
        finalOd = (Number(sample.od600Raw) * Number(sample.dilutionFactor)).toFixed(2)
      if (resume && samples <= resume.samples) return
      await api.recordSample(batchId, {
        od600Raw: sample.od600Raw,
        dilutionFactor: sample.dilutionFactor,
        volumeMl: sample.volumeMl,
        scheduledPoint: sample.scheduledPoint,
        contaminationDetected: false,
        ...(sample.replicate > 1 ? { replicate: sample.replicate } : {}),
        occurredAt: at(startMs + sample.second * 1000),
      })
    },
    close: async (end) => {
      if (end.depletionHours === undefined || finalOd === undefined || samples < 8) return false
      await api.close(batchId, {
        finalOd600: finalOd,
        doSpikeObserved: true,
        glycerolDepletionHours: end.depletionHours.toFixed(2),
        maxDoPercent: Math.max(0, end.highestOxygenPercent).toFixed(1),
        cumulativeBaseMl: end.baseMl.toFixed(1),
        harvestMethod: 'Disposal',
        closedBy: technicianId,
        approvedBy: engineerId,
        occurredAt: at(startMs + end.second * 1000),
      })
      return true
    },
  }
}

const at = (ms: number): string => new Date(ms).toISOString()
