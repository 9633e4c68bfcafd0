-- The log of events and what it stands on. One row an event, in one table: so that an event id and a stream's
-- revision are unique at any age by constraint, and looked up in one index.
CREATE SCHEMA IF NOT EXISTS event_store AUTHORIZATION bioledger_owner;
SET LOCAL ROLE bioledger_owner;

CREATE TABLE event_store.store (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  store_id uuid NOT NULL DEFAULT gen_random_uuid(),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE event_store.store IS 'The identity of this store: one row, made with the tables';
INSERT INTO event_store.store DEFAULT VALUES;

CREATE TABLE event_store.head (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  position bigint NOT NULL,
  passed_until timestamptz NOT NULL
) WITH (fillfactor = 10);
COMMENT ON TABLE event_store.head IS 'The gapless counter of positions: one row, changed under the append lock only';
COMMENT ON COLUMN event_store.head.passed_until IS 'No later event is recorded before this instant; whole milliseconds';
INSERT INTO event_store.head (position, passed_until) VALUES (0, date_trunc('milliseconds', clock_timestamp()));

CREATE TABLE event_store.stream (
  stream_key integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL UNIQUE,
  category text NOT NULL GENERATED ALWAYS AS (split_part(name, '-', 1)) STORED,
  revision bigint NOT NULL,
  sealed boolean NOT NULL,
  holds_readings boolean NOT NULL
) WITH (fillfactor = 60);
COMMENT ON TABLE event_store.stream IS 'Where each stream stands';
COMMENT ON COLUMN event_store.stream.sealed IS 'Its last event is StreamSealed';
COMMENT ON COLUMN event_store.stream.holds_readings IS 'Some of its events are readings in typed form';
CREATE INDEX stream_of_readings ON event_store.stream (category) WHERE holds_readings;

CREATE TABLE event_store.template (
  template_id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  content text NOT NULL UNIQUE
);
COMMENT ON TABLE event_store.template IS
  'What many readings have in common: their canonical JSON (RFC 8785) without id, occurredAt, receivedAt, source.seq and data.value';

CREATE TABLE event_store.event (
  position bigint PRIMARY KEY,
  revision bigint NOT NULL,
  id uuid NOT NULL,
  recorded_at timestamptz NOT NULL,
  occurred_at timestamptz,
  received_at timestamptz,
  value double precision,
  seq bigint,
  stream_key integer NOT NULL,
  template_id integer,
  type text,
  content text,
  salt bytea,
  traceparent text,
  CONSTRAINT event_form CHECK (
    (template_id IS NOT NULL AND value IS NOT NULL AND occurred_at IS NOT NULL AND received_at IS NOT NULL
      AND type IS NULL AND content IS NULL)
    OR (template_id IS NULL AND type IS NOT NULL AND content IS NOT NULL)
  )
) WITH (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 2000000, autovacuum_freeze_min_age = 0);
COMMENT ON TABLE event_store.event IS
  'One row an event, never changed: a reading in typed columns and a template, anything else as its canonical JSON';
COMMENT ON COLUMN event_store.event.content IS 'RFC 8785 text of the client part; null for a reading in typed form';
COMMENT ON COLUMN event_store.event.salt IS '32 random bytes made at append, for payloads that people typed';
COMMENT ON COLUMN event_store.event.traceparent IS 'W3C trace context: beside the record, never part of it';
ALTER TABLE event_store.event ADD CONSTRAINT event_id UNIQUE (id);
ALTER TABLE event_store.event ADD CONSTRAINT event_revision UNIQUE (stream_key, revision);
-- A reader that wants no readings skips all of them.
CREATE INDEX event_general ON event_store.event (position) WHERE template_id IS NULL;

CREATE TABLE event_store.commit (
  first_position bigint PRIMARY KEY,
  last_position bigint NOT NULL,
  recorded_at timestamptz NOT NULL
);
COMMENT ON TABLE event_store.commit IS 'One row a commit: which positions it recorded, and when';
CREATE INDEX commit_recorded_at ON event_store.commit (recorded_at, last_position);

RESET ROLE;
