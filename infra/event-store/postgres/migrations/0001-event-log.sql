-- The event log: append-only, positions gapless and in commit order.
DO $$
BEGIN
  CREATE ROLE bioledger_owner NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$
BEGIN
  CREATE ROLE bioledger_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

CREATE SCHEMA event_store AUTHORIZATION bioledger_owner;
SET LOCAL ROLE bioledger_owner;
SET LOCAL search_path = event_store, pg_temp;

CREATE TABLE store (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  store_id uuid NOT NULL DEFAULT gen_random_uuid()
);
COMMENT ON TABLE store IS 'Who this store is: a reset or restored one is noticed by it';
INSERT INTO store DEFAULT VALUES;

CREATE TABLE head (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  position bigint NOT NULL,
  recorded_ms bigint NOT NULL
) WITH (fillfactor = 10);
COMMENT ON TABLE head IS 'Last position given, and the floor of recordedAt: no later event is recorded before it';
INSERT INTO head (position, recorded_ms) VALUES (0, 0);

CREATE TABLE event_type (
  type_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE reading_template (
  template_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  client text COLLATE "C" NOT NULL,
  digest bytea NOT NULL UNIQUE
);
COMMENT ON TABLE reading_template IS 'Canonical client JSON of readings without id, occurredAt, receivedAt, source.seq and data.value';

CREATE TABLE stream (
  stream_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  category text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  sealed boolean NOT NULL DEFAULT false
) WITH (fillfactor = 60);

CREATE TABLE commit (
  last_position bigint PRIMARY KEY,
  recorded_ms bigint NOT NULL
);
COMMENT ON TABLE commit IS 'One row a commit of the committer: which instants lie where';
CREATE INDEX commit_recorded ON commit (recorded_ms, last_position);

CREATE TABLE event (
  position bigint NOT NULL,
  recorded_ms bigint NOT NULL,
  revision bigint NOT NULL,
  fingerprint bigint NOT NULL,
  occurred_ms bigint,
  received_ms bigint,
  seq bigint,
  value double precision,
  stream_key integer NOT NULL,
  template_id integer,
  type_id smallint NOT NULL,
  event_id uuid NOT NULL,
  client text COLLATE "C",
  salt bytea,
  traceparent text COLLATE "C",
  PRIMARY KEY (position),
  CHECK ((template_id IS NULL) = (client IS NOT NULL))
) PARTITION BY RANGE (position);
COMMENT ON TABLE event IS 'The record. A reading stands in typed columns and a template; every other event as its canonical text';
CREATE INDEX event_by_id ON event (event_id);
CREATE UNIQUE INDEX event_by_revision ON event (stream_key, revision, position);
CREATE INDEX event_not_reading ON event (position) WHERE template_id IS NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the event log is append-only: % on %.% is refused', tg_op, tg_table_schema, tg_table_name
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ensure_partition(needed bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  width CONSTANT bigint := 50000000;
  lower bigint := needed / width * width;
  name text := 'event_' || lpad((needed / width)::text, 6, '0');
BEGIN
  IF to_regclass('event_store.' || name) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE event_store.%I PARTITION OF event_store.event FOR VALUES FROM (%s) TO (%s)', name, lower, lower + width);
  EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.%I FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change()', name);
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON commit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON store FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reading_template FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_type FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_delete BEFORE DELETE OR TRUNCATE ON stream FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_delete BEFORE DELETE OR TRUNCATE ON head FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
SELECT ensure_partition(0);
RESET ROLE;
