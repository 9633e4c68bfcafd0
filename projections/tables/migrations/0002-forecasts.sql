-- Forecasts and their scores, derived windows, models, offline samples. Some of this stands in events that were
-- projected before these tables existed, so the read models begin anew: the projector reads the store from its start.
TRUNCATE stream_state, batch, gap, timeline, quarantine, ingress_statement, series, reading_chunk, reading_tail,
  reading_window, parked_key, parked_event;
UPDATE checkpoint SET generation = gen_random_uuid(), store_id = NULL, position = NULL, event_id = NULL, recorded_at = NULL,
  projected_at = clock_timestamp();

CREATE TABLE forecast (
  position            int8 PRIMARY KEY,
  stream              text NOT NULL,
  batch_id            uuid NOT NULL,
  event_id            uuid NOT NULL,
  kind                text NOT NULL CHECK (kind IN ('issued', 'withheld')),
  window_from         timestamptz NOT NULL,
  issued_at           timestamptz NOT NULL,
  recorded_at         timestamptz NOT NULL,
  origin              text NOT NULL,
  model_id            text NOT NULL,
  model_version       text NOT NULL,
  model_hash          text NOT NULL,
  feature_schema_hash text NOT NULL,
  input_hash          text NOT NULL,
  input_from          int8 NOT NULL,
  input_to            int8 NOT NULL,
  phase               text,
  hours               float8 NOT NULL,
  runtime             text NOT NULL,
  in_domain_score     float8,
  last_value          float8,
  last_mu             float8,
  horizons            jsonb,
  depletion           jsonb,
  attributions        jsonb,
  reason              text,
  detail              text
);
COMMENT ON TABLE forecast IS 'What a model said about each 30-s window, or why it said nothing. Never measured data. Append-only.';
COMMENT ON COLUMN forecast.issued_at IS 'End of the window that was looked at: what the horizons count from';
COMMENT ON COLUMN forecast.hours IS 'Since inoculation, at issued_at';
CREATE INDEX forecast_by_batch ON forecast (batch_id, issued_at, position);
CREATE INDEX forecast_by_record ON forecast (batch_id, position);

CREATE TABLE forecast_score (
  position          int8 NOT NULL,
  place             int4 NOT NULL,
  stream            text NOT NULL,
  batch_id          uuid NOT NULL,
  event_id          uuid NOT NULL,
  model_hash        text NOT NULL,
  sample_event_id   uuid NOT NULL,
  sampled_at        timestamptz NOT NULL,
  measured          float8 NOT NULL,
  horizon           text NOT NULL,
  forecast_event_id uuid NOT NULL,
  issued_at         timestamptz NOT NULL,
  phase             text,
  p5                float8 NOT NULL,
  p50               float8 NOT NULL,
  p95               float8 NOT NULL,
  relative_error    float8 NOT NULL,
  covered           boolean NOT NULL,
  covered_with_assay_error boolean,
  PRIMARY KEY (position, place)
);
COMMENT ON TABLE forecast_score IS 'Offline OD600 samples against the forecasts that had been made for their time. Append-only.';
COMMENT ON COLUMN forecast_score.covered_with_assay_error IS 'The interval, widened by the assay''s own error, held the sample';
CREATE INDEX forecast_score_by_batch ON forecast_score (batch_id, position);

CREATE TABLE derived_window (
  position            int8 PRIMARY KEY,
  stream              text NOT NULL,
  batch_id            uuid NOT NULL,
  event_id            uuid NOT NULL,
  from_at             timestamptz NOT NULL,
  to_at               timestamptz NOT NULL,
  recorded_at         timestamptz NOT NULL,
  input_from          int8 NOT NULL,
  input_to            int8 NOT NULL,
  rules_version       text NOT NULL,
  phase               text,
  derived             jsonb NOT NULL,
  corrections         jsonb NOT NULL,
  quality_score       float8 NOT NULL,
  depletion_confirmed boolean NOT NULL
);
COMMENT ON TABLE derived_window IS 'Process values derived from the readings of each 30-s window, with the reason where there is none. Append-only.';
CREATE INDEX derived_window_by_batch ON derived_window (batch_id, to_at, position);
CREATE INDEX derived_window_by_record ON derived_window (batch_id, position);

CREATE TABLE model_event (
  position    int8 PRIMARY KEY,
  stream      text NOT NULL,
  model_id    text NOT NULL,
  event_id    uuid NOT NULL,
  type        text NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  actor_kind  text NOT NULL,
  actor_id    text NOT NULL,
  actor_role  text NOT NULL,
  data        jsonb NOT NULL,
  sentence    text NOT NULL
);
COMMENT ON TABLE model_event IS 'The life of each model: its state at a position is the fold of what was recorded up to there. Append-only.';

CREATE TABLE sample (
  position               int8 PRIMARY KEY,
  stream                 text NOT NULL,
  batch_id               uuid NOT NULL,
  event_id               uuid NOT NULL,
  sample_id              uuid NOT NULL,
  sample_number          int4 NOT NULL,
  replicate              int4,
  sampled_at             timestamptz NOT NULL,
  recorded_at            timestamptz NOT NULL,
  actor_id               text NOT NULL,
  timepoint_hours        text NOT NULL,
  od600_raw              text NOT NULL,
  dilution_factor        text NOT NULL,
  od600                  text NOT NULL,
  contamination_detected boolean NOT NULL,
  late_entry             boolean NOT NULL
);
COMMENT ON TABLE sample IS 'Offline samples; what a person typed stands as typed. Append-only.';
CREATE INDEX sample_by_batch ON sample (batch_id, position);

-- The timeline without what comes every 30 s, which would hide everything else.
CREATE INDEX timeline_records_by_batch ON timeline (batch_id, position)
  WHERE batch_id IS NOT NULL AND type NOT IN ('ProcessWindowDerived', 'OdForecastIssued', 'ForecastWithheld');
