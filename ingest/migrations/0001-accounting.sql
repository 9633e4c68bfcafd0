-- What ingest has counted, made durable before a message is acknowledged. Cumulative and per source: the figures
-- that IngressStated events repeat. Not a read model: it cannot be rebuilt from the events it is compared with.
CREATE SCHEMA ingest;
GRANT USAGE ON SCHEMA ingest TO bioledger_app;

CREATE TABLE ingest.ledger (
  is_the_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_one),
  store_id text NOT NULL,
  last_entry uuid NOT NULL
);
COMMENT ON COLUMN ingest.ledger.store_id IS 'The event store these figures belong to; another one is refused at start';
COMMENT ON COLUMN ingest.ledger.last_entry IS
  'Each entry names the one before it: one whose answer was lost is not made twice, and a second ingest is found out';

CREATE TABLE ingest.stream (
  stream text PRIMARY KEY,
  accounted_revision bigint NOT NULL DEFAULT -1,
  is_open boolean NOT NULL DEFAULT true,
  is_sealed boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE ingest.stream IS 'One row a stream that ingest writes, made before its first append';
COMMENT ON COLUMN ingest.stream.accounted_revision IS 'Readings and quarantines up to here are in ingest.ingress';
COMMENT ON COLUMN ingest.stream.is_open IS 'May hold events that are not accounted yet: looked at when ingest starts';
CREATE INDEX stream_open ON ingest.stream (stream) WHERE is_open;

CREATE TABLE ingest.ingress (
  stream text NOT NULL REFERENCES ingest.stream,
  topic text NOT NULL,
  received bigint NOT NULL CHECK (received >= 0),
  duplicate bigint NOT NULL CHECK (duplicate >= 0),
  quarantined bigint NOT NULL CHECK (quarantined >= 0),
  PRIMARY KEY (stream, topic)
) WITH (fillfactor = 70);

CREATE TABLE ingest.series (
  stream text NOT NULL REFERENCES ingest.stream,
  tag text NOT NULL,
  unit text NOT NULL,
  PRIMARY KEY (stream, tag)
);
COMMENT ON TABLE ingest.series IS 'The unit of the first reading of a tag in a stream, which the others must share';

GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ingest TO bioledger_app;
