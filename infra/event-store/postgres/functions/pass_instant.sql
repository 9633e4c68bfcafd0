-- Closes an instant: raises the floor of recordedAt to the clock (never beyond it), so that no later event can be
-- recorded at or before `instant_ms` once the answer says passed. Answers the last position recorded by then.
CREATE OR REPLACE FUNCTION event_store.pass_instant(instant_ms bigint)
RETURNS TABLE (passed boolean, "position" bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = event_store, pg_temp AS $$
#variable_conflict use_column
DECLARE
  floor_ms bigint;
BEGIN
  SELECT head.recorded_ms INTO floor_ms FROM head;
  IF floor_ms <= instant_ms AND floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint > instant_ms THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('bioledger event log', 0));
    UPDATE head SET recorded_ms = greatest(head.recorded_ms, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
      RETURNING head.recorded_ms INTO floor_ms;
  END IF;
  RETURN QUERY SELECT floor_ms > instant_ms,
    (SELECT commit.last_position FROM commit WHERE commit.recorded_ms <= instant_ms ORDER BY commit.recorded_ms DESC, commit.last_position DESC LIMIT 1);
END $$;
