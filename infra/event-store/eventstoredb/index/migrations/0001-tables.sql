CREATE SCHEMA eventstoredb_index;
COMMENT ON SCHEMA eventstoredb_index IS
  'What EventStoreDB cannot be asked: where an event id stands, a stream''s last revision, the clamped record time. Fed from $all only; can be rebuilt from it.';

CREATE TABLE eventstoredb_index.progress (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  store_id uuid NOT NULL,
  position bigint NOT NULL,
  recorded_at timestamptz NOT NULL
);
COMMENT ON TABLE eventstoredb_index.progress IS 'How far $all has been taken in, of which store; one row.';
COMMENT ON COLUMN eventstoredb_index.progress.recorded_at IS 'Newest record time given out or passed by then (ticks included): no later event gets an earlier one.';

CREATE TABLE eventstoredb_index.stream (
  stream_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  head_revision bigint NOT NULL,
  sealed boolean NOT NULL
);
COMMENT ON COLUMN eventstoredb_index.stream.sealed IS 'StreamSealed is the stream''s last event.';

CREATE TABLE eventstoredb_index.event (
  position bigint PRIMARY KEY,
  stream_key bigint NOT NULL REFERENCES eventstoredb_index.stream,
  revision bigint NOT NULL,
  event_id uuid NOT NULL,
  recorded_at timestamptz NOT NULL,
  fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32)
);
COMMENT ON COLUMN eventstoredb_index.event.fingerprint IS 'SHA-256 of the RFC 8785 form of the client part without receivedAt: tells a redelivery from an id collision.';
COMMENT ON COLUMN eventstoredb_index.event.recorded_at IS 'The server''s created, never before that of an earlier position.';
-- Not unique: the server itself does not keep ids unique, and the index must be able to say so.
CREATE INDEX event_by_id ON eventstoredb_index.event (event_id);
CREATE INDEX event_by_revision ON eventstoredb_index.event (stream_key, revision);

CREATE TABLE eventstoredb_index.clock_step (
  from_position bigint PRIMARY KEY,
  until_position bigint NOT NULL,
  recorded_at timestamptz NOT NULL
);
COMMENT ON TABLE eventstoredb_index.clock_step IS
  'Positions between which the server''s clock stood before a time already given out: their events are recorded at recorded_at.';
