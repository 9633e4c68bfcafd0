-- The read models. Table names carry no schema: they are made in the schema that the connection's search path
-- names, so that a rebuild can make the same tables beside the live ones and switch by renaming the schema.
DO $$
BEGIN
  -- A role that may not create roles migrates where the role is there already.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bioledger_app') THEN
    CREATE ROLE bioledger_app NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;

CREATE TABLE checkpoint (
  only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  generation   uuid NOT NULL DEFAULT gen_random_uuid(),
  store_id     text,
  position     int8,
  event_id     uuid,
  recorded_at  timestamptz,
  projected_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE checkpoint IS 'How far these tables have come. Written in the transaction that writes the rows.';
COMMENT ON COLUMN checkpoint.generation IS 'Another value: the tables were rebuilt, nothing remembered about the old ones holds';
INSERT INTO checkpoint DEFAULT VALUES;

CREATE TABLE stream_state (
  stream      text PRIMARY KEY,
  revision    int8 NOT NULL,
  position    int8 NOT NULL,
  topics      text[] NOT NULL,
  stored      int8[] NOT NULL,
  quarantined int8[] NOT NULL,
  tail_frames int4 NOT NULL,
  tail_points int4 NOT NULL
) WITH (fillfactor = 60);
COMMENT ON TABLE stream_state IS 'What the projector must remember of a stream to go on: a cache, derivable from the stream.';
COMMENT ON COLUMN stream_state.stored IS 'Readings of each topic seen so far; element n belongs to topics[n]';

CREATE TABLE batch (
  batch_id      uuid NOT NULL,
  known         int8range NOT NULL,
  revision      int8 NOT NULL,
  campaign      text NOT NULL,
  number        int4 NOT NULL,
  attempt       int4 NOT NULL,
  phase         text NOT NULL,
  vessel        text NOT NULL,
  status        text NOT NULL,
  origin        text NOT NULL,
  created_at    timestamptz NOT NULL,
  inoculated_at timestamptz,
  closed_at     timestamptz,
  outcome       text,
  operator_id   text,
  variation     text,
  notes         text,
  sample_count  int4 NOT NULL,
  PRIMARY KEY (batch_id, known WITHOUT OVERLAPS)
);
COMMENT ON TABLE batch IS 'Every version of every batch; the version valid at position p is the one whose known contains p.';

CREATE TABLE gap (
  opened_position int8 NOT NULL,
  known           int8range NOT NULL,
  stream          text NOT NULL,
  tag             text NOT NULL,
  from_at         timestamptz NOT NULL,
  to_at           timestamptz,
  missing         int4,
  PRIMARY KEY (opened_position, known WITHOUT OVERLAPS)
);
COMMENT ON TABLE gap IS 'Every version of every gap; to_at is null while the signal is silent.';
CREATE INDEX gap_by_stream ON gap (stream, opened_position);

CREATE TABLE timeline (
  position    int8 PRIMARY KEY,
  stream      text NOT NULL,
  revision    int8 NOT NULL,
  batch_id    uuid,
  event_id    uuid NOT NULL,
  type        text NOT NULL,
  occurred_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  actor_kind  text NOT NULL,
  actor_id    text NOT NULL,
  actor_role  text NOT NULL,
  origin      text NOT NULL,
  sentence    text NOT NULL
);
COMMENT ON TABLE timeline IS 'Every event but readings and ingress statements, as a sentence. Append-only.';
CREATE INDEX timeline_by_batch ON timeline (batch_id, position) WHERE batch_id IS NOT NULL;

CREATE TABLE quarantine (
  position    int8 PRIMARY KEY,
  stream      text NOT NULL,
  recorded_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  vessel      text,
  tag         text,
  topic       text NOT NULL,
  reason      text NOT NULL,
  field       text NOT NULL,
  rule        text NOT NULL,
  raw         text NOT NULL,
  raw_length  int4 NOT NULL,
  truncated   boolean NOT NULL
);
COMMENT ON TABLE quarantine IS 'Messages that ingest could not take as readings, with their raw bytes (base64). Append-only.';
CREATE INDEX quarantine_by_stream ON quarantine (stream, position);

CREATE TABLE ingress_statement (
  stream      text NOT NULL,
  position    int8 NOT NULL,
  revision    int8 NOT NULL,
  stated      jsonb NOT NULL,
  counted     jsonb NOT NULL,
  PRIMARY KEY (stream, position)
);
COMMENT ON TABLE ingress_statement IS 'What ingest says has arrived, and what this projection itself counted in the stream up to there. Append-only.';

CREATE TABLE series (
  series_id      int4 PRIMARY KEY,
  stream         text NOT NULL,
  tag            text NOT NULL,
  unit           text NOT NULL,
  first_position int8 NOT NULL,
  UNIQUE (stream, tag, unit)
);
COMMENT ON TABLE series IS 'One signal of one stream in one unit. The number is physical: it may differ after a rebuild.';

CREATE TABLE reading_chunk (
  series_id      int4 NOT NULL,
  first_position int8 NOT NULL,
  last_position  int8 NOT NULL,
  min_at         timestamptz NOT NULL,
  max_at         timestamptz NOT NULL,
  count          int4 NOT NULL,
  points         bytea NOT NULL,
  PRIMARY KEY (series_id, first_position)
);
COMMENT ON TABLE reading_chunk IS 'Readings of one series, packed in columns (projections/tables/point-columns.ts). Append-only.';
ALTER TABLE reading_chunk ALTER COLUMN points SET STORAGE EXTERNAL;

CREATE TABLE reading_tail (
  stream         text NOT NULL,
  first_position int8 NOT NULL,
  last_position  int8 NOT NULL,
  points         bytea NOT NULL,
  PRIMARY KEY (stream, first_position)
);
COMMENT ON TABLE reading_tail IS 'The newest readings of a stream, all its series together, until there are enough of them for chunks.';
ALTER TABLE reading_tail ALTER COLUMN points SET STORAGE EXTERNAL;

CREATE TABLE reading_window (
  series_id      int4 NOT NULL,
  from_at        timestamptz NOT NULL,
  known_from     int8 NOT NULL,
  usable         int4 NOT NULL,
  total          int4 NOT NULL,
  mean           float8,
  squares        float8,
  min            float8,
  max            float8,
  PRIMARY KEY (series_id, from_at, known_from)
);
COMMENT ON TABLE reading_window IS 'Closed 30-s windows: one row when it closes and one for each reading that came later. Append-only.';
COMMENT ON COLUMN reading_window.squares IS 'Sum of squared deviations from the mean (Welford), so that a later reading can be added';

CREATE TABLE parked_key (
  stream    text PRIMARY KEY,
  position  int8 NOT NULL,
  event_id  uuid NOT NULL,
  type      text NOT NULL,
  message   text NOT NULL,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  alarmed   boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE parked_key IS 'Streams that stopped at an event the projection could not apply.';

CREATE TABLE parked_event (
  stream   text NOT NULL,
  position int8 NOT NULL,
  revision int8 NOT NULL,
  event_id uuid NOT NULL,
  type     text NOT NULL,
  PRIMARY KEY (stream, position)
);
COMMENT ON TABLE parked_event IS 'The event a stream stopped at and what followed, in order; a rebuild applies them once the cause is mended.';
