-- The log: entries, hashes, which entry is which event, and what was signed. Written by the sequencer alone.
CREATE TABLE ledger.log (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  origin text NOT NULL,
  site_key bytea NOT NULL CHECK (length(site_key) = 32),
  size bigint NOT NULL CHECK (size >= 0),
  root bytea NOT NULL CHECK (length(root) = 32),
  store_id uuid,
  position bigint,
  event_id uuid,
  recorded_at timestamptz,
  fence bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
COMMENT ON TABLE ledger.log IS 'Where the log stands: one row, changed by compare-and-set in the transaction that writes the entries';
COMMENT ON COLUMN ledger.log.site_key IS 'Key under which heads statements call streams (HMAC-SHA-256)';
COMMENT ON COLUMN ledger.log.position IS 'Of the last entry''s event in the event store store_id';
COMMENT ON COLUMN ledger.log.fence IS 'Grows with each sequencer that takes over; one with an older number can no longer write';

CREATE TABLE ledger.entry_chunk (
  first_index bigint PRIMARY KEY,
  entry_count smallint NOT NULL CHECK (entry_count BETWEEN 1 AND 256),
  entries bytea NOT NULL,
  hashes bytea NOT NULL,
  first_position bigint NOT NULL,
  positions bytea,
  CHECK (length(hashes) = 32 * entry_count),
  CHECK (first_index / 256 = (first_index + entry_count - 1) / 256)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_freeze_min_age = 0);
COMMENT ON TABLE ledger.entry_chunk IS 'Consecutive entries of one bundle of 256, as they came; never changed';
COMMENT ON COLUMN ledger.entry_chunk.entries IS 'zstd of the entries, each behind its length as uint16: a part of the bundle';
COMMENT ON COLUMN ledger.entry_chunk.hashes IS 'Their leaf hashes: a part of the level-0 tile';
COMMENT ON COLUMN ledger.entry_chunk.positions IS 'Distances between the events'' positions as varints; null when all are 1';
ALTER TABLE ledger.entry_chunk ALTER COLUMN entries SET STORAGE EXTERNAL;
ALTER TABLE ledger.entry_chunk ALTER COLUMN hashes SET STORAGE EXTERNAL;
CREATE INDEX entry_chunk_position ON ledger.entry_chunk (first_position);

CREATE TABLE ledger.tile (
  level smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
  tile_index bigint NOT NULL,
  hashes bytea NOT NULL CHECK (length(hashes) % 32 = 0 AND length(hashes) BETWEEN 32 AND 8192),
  PRIMARY KEY (level, tile_index)
);
COMMENT ON TABLE ledger.tile IS 'Tiles above level 0 (C2SP tlog-tiles): the last one of a level grows at its end until it is full';
ALTER TABLE ledger.tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE ledger.stream (
  stream_key integer PRIMARY KEY,
  name text NOT NULL UNIQUE,
  event_count bigint NOT NULL,
  last_index bigint NOT NULL,
  last_hash bytea NOT NULL CHECK (length(last_hash) = 32)
) WITH (fillfactor = 60);
COMMENT ON TABLE ledger.stream IS 'Head of each stream in the log';

CREATE TABLE ledger.stream_run (
  stream_key integer NOT NULL,
  first_revision bigint NOT NULL,
  event_count integer NOT NULL,
  first_index bigint NOT NULL,
  runs bytea,
  PRIMARY KEY (stream_key, first_revision)
);
COMMENT ON TABLE ledger.stream_run IS 'Where the revisions of a stream stand, one row a transaction of the sequencer';
COMMENT ON COLUMN ledger.stream_run.runs IS 'Varints: count, then gap and count in turn; null when the entries are consecutive';

CREATE TABLE ledger.checkpoint (
  size bigint PRIMARY KEY,
  root bytea NOT NULL CHECK (length(root) = 32),
  note text NOT NULL,
  position bigint NOT NULL,
  event_id uuid NOT NULL,
  recorded_at timestamptz NOT NULL,
  signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ledger.checkpoint IS 'Every published checkpoint as signed note; cosignatures are added to it as they come';
CREATE INDEX checkpoint_recorded_at ON ledger.checkpoint (recorded_at, size);
CREATE INDEX checkpoint_position ON ledger.checkpoint (position);

CREATE TABLE ledger.heads_statement (
  size bigint PRIMARY KEY,
  root bytea NOT NULL CHECK (length(root) = 32),
  stream_count bigint NOT NULL,
  records bytea NOT NULL,
  event_index bigint
);
COMMENT ON TABLE ledger.heads_statement IS 'Every list of heads that was stated';
COMMENT ON COLUMN ledger.heads_statement.records IS 'zstd of 80 bytes a stream: key, count, last index, last leaf hash';
COMMENT ON COLUMN ledger.heads_statement.event_index IS 'Index of its HeadsStated event, once that is in the log';

CREATE TABLE ledger.heads_request (
  request_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ledger.heads_request IS 'Who needs a heads statement soon; the sequencer removes what it has answered';
