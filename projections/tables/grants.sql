-- The product's role reads everything, appends to append-only tables, and changes only what has versions or is a cache.
DO $grants$
DECLARE
  schema_name text := current_schema();
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO bioledger_app', schema_name);
  EXECUTE format('GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA %I TO bioledger_app', schema_name);
END
$grants$;
GRANT UPDATE ON checkpoint, stream_state, batch, gap, parked_key TO bioledger_app;
GRANT DELETE ON reading_tail TO bioledger_app;
