/** Writes the forecasts, scores, derived windows, model events and samples that a page added, one statement a table. */
import type { PoolClient } from '../../infra/postgres/pool.ts'
import { columnsOf, insert, type StreamWrite } from './stream-write.ts'

export async function writeEvidence(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  await writeForecasts(client, writes)
  await writeScores(client, writes)
  await writeDerivedWindows(client, writes)
  await writeModelEvents(client, writes)
  await writeSamples(client, writes)
}

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

async function writeForecasts(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const rows = writes.flatMap(({ stream, rows }) => rows.forecasts.map((row) => ({ ...row, stream })))
  await insert(
    client,
    `INSERT INTO forecast (position, stream, batch_id, event_id, kind, window_from, issued_at, recorded_at, origin, model_id,
       model_version, model_hash, feature_schema_hash, input_hash, input_from, input_to, phase, hours, runtime, in_domain_score,
       last_value, last_mu, horizons, depletion, attributions, reason, detail)
     SELECT * FROM unnest($1::int8[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[],
       $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::int8[], $16::int8[],
       $17::text[], $18::float8[], $19::text[], $20::float8[], $21::float8[], $22::float8[], $23::jsonb[], $24::jsonb[],
       $25::jsonb[], $26::text[], $27::text[])`,
    columnsOf(
      rows,
      (row) => row.position,
      (row) => row.stream,
      (row) => row.batchId,
      (row) => row.eventId,
      (row) => row.kind,
      (row) => row.windowFrom,
      (row) => row.issuedAt,
      (row) => row.recordedAt,
      (row) => row.origin,
      (row) => row.modelId,
      (row) => row.modelVersion,
      (row) => row.modelHash,
      (row) => row.featureSchemaHash,
      (row) => row.inputHash,
      (row) => row.inputFrom,
      (row) => row.inputTo,
      (row) => row.phase,
      (row) => row.hours,
      (row) => row.runtime,
      (row) => row.inDomainScore,
      (row) => row.lastValue,
      (row) => row.lastMu,
      (row) => json(row.horizons),
      (row) => json(row.depletion),
      (row) => json(row.attributions),
      (row) => row.reason,
      (row) => row.detail,
    ),
  )
}

async function writeScores(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const rows = writes.flatMap(({ stream, rows }) => rows.scores.map((row) => ({ ...row, stream })))
  await insert(
    client,
    `INSERT INTO forecast_score (position, place, stream, batch_id, event_id, model_hash, sample_event_id, sampled_at, measured,
       horizon, forecast_event_id, issued_at, phase, p5, p50, p95, relative_error, covered,
       covered_with_assay_error)
     SELECT * FROM unnest($1::int8[], $2::int4[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::timestamptz[],
       $9::float8[], $10::text[], $11::uuid[], $12::timestamptz[], $13::text[], $14::float8[], $15::float8[], $16::float8[],
       $17::float8[], $18::boolean[], $19::boolean[])`,
    columnsOf(
      rows,
      (row) => row.position,
      (row) => row.place,
      (row) => row.stream,
      (row) => row.batchId,
      (row) => row.eventId,
      (row) => row.modelHash,
      (row) => row.sampleEventId,
      (row) => row.sampledAt,
      (row) => row.measured,
      (row) => row.horizon,
      (row) => row.forecastEventId,
      (row) => row.issuedAt,
      (row) => row.phase,
      (row) => row.p5,
      (row) => row.p50,
      (row) => row.p95,
      (row) => row.relativeError,
      (row) => row.covered,
      (row) => row.coveredWithAssayError ?? null,
    ),
  )
}

async function writeDerivedWindows(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const rows = writes.flatMap(({ stream, rows }) => rows.derivedWindows.map((row) => ({ ...row, stream })))
  await insert(
    client,
    `INSERT INTO derived_window (position, stream, batch_id, event_id, from_at, to_at, recorded_at, input_from, input_to,
       rules_version, phase, derived, corrections, quality_score, depletion_confirmed)
     SELECT * FROM unnest($1::int8[], $2::text[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
       $8::int8[], $9::int8[], $10::text[], $11::text[], $12::jsonb[], $13::jsonb[], $14::float8[], $15::boolean[])`,
    columnsOf(
      rows,
      (row) => row.position,
      (row) => row.stream,
      (row) => row.batchId,
      (row) => row.eventId,
      (row) => row.from,
      (row) => row.to,
      (row) => row.recordedAt,
      (row) => row.inputFrom,
      (row) => row.inputTo,
      (row) => row.rulesVersion,
      (row) => row.phase,
      (row) => json(row.derived),
      (row) => json(row.corrections),
      (row) => row.qualityScore,
      (row) => row.depletionConfirmed,
    ),
  )
}

async function writeModelEvents(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const rows = writes.flatMap(({ stream, rows }) => rows.modelEvents.map((row) => ({ ...row, stream })))
  await insert(
    client,
    `INSERT INTO model_event (position, stream, model_id, event_id, type, occurred_at, recorded_at, actor_kind, actor_id,
       actor_role, data, sentence)
     SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[],
       $8::text[], $9::text[], $10::text[], $11::jsonb[], $12::text[])`,
    columnsOf(
      rows,
      (row) => row.position,
      (row) => row.stream,
      (row) => row.modelId,
      (row) => row.eventId,
      (row) => row.type,
      (row) => row.occurredAt,
      (row) => row.recordedAt,
      (row) => row.actor.kind,
      (row) => row.actor.id,
      (row) => row.actor.role,
      (row) => json(row.data),
      (row) => row.sentence,
    ),
  )
}

async function writeSamples(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const rows = writes.flatMap(({ stream, rows }) => rows.samples.map((row) => ({ ...row, stream })))
  await insert(
    client,
    `INSERT INTO sample (position, stream, batch_id, event_id, sample_id, sample_number, replicate, sampled_at, recorded_at,
       actor_id, timepoint_hours, od600_raw, dilution_factor, od600, contamination_detected, late_entry)
     SELECT * FROM unnest($1::int8[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int4[], $7::int4[], $8::timestamptz[],
       $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::boolean[], $16::boolean[])`,
    columnsOf(
      rows,
      (row) => row.position,
      (row) => row.stream,
      (row) => row.batchId,
      (row) => row.eventId,
      (row) => row.sampleId,
      (row) => row.sampleNumber,
      (row) => row.replicate,
      (row) => row.sampledAt,
      (row) => row.recordedAt,
      (row) => row.actorId,
      (row) => row.timepointHours,
      (row) => row.od600Raw,
      (row) => row.dilutionFactor,
      (row) => row.od600,
      (row) => row.contaminationDetected,
      (row) => row.lateEntry,
    ),
  )
}
