-- Short numbers for texts that repeat: event types and reading templates.
CREATE OR REPLACE FUNCTION event_store.intern_type(wanted text) RETURNS smallint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = event_store, pg_temp AS $$
DECLARE
  found smallint;
BEGIN
  INSERT INTO event_type (name) SELECT wanted WHERE NOT EXISTS (SELECT 1 FROM event_type WHERE event_type.name = wanted) ON CONFLICT DO NOTHING;
  SELECT event_type.type_id INTO STRICT found FROM event_type WHERE event_type.name = wanted;
  RETURN found;
END $$;

CREATE OR REPLACE FUNCTION event_store.intern_template(wanted text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = event_store, pg_temp AS $$
DECLARE
  wanted_digest bytea := sha256(convert_to(wanted, 'UTF8'));
  found integer;
BEGIN
  INSERT INTO reading_template (client, digest) SELECT wanted, wanted_digest WHERE NOT EXISTS (SELECT 1 FROM reading_template WHERE reading_template.digest = wanted_digest) ON CONFLICT DO NOTHING;
  SELECT reading_template.template_id INTO STRICT found FROM reading_template WHERE reading_template.digest = wanted_digest;
  RETURN found;
END $$;
