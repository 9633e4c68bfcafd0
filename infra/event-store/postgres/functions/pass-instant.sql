-- Whether no event recorded at `instant` or before can still come, and if so, the last position recorded by then.
-- An instant that lies before the present is passed from now on: later events are recorded after it.
SET LOCAL ROLE bioledger_owner;
CREATE OR REPLACE FUNCTION event_store.pass_instant(instant timestamptz, OUT passed boolean, OUT last_position bigint)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = event_store, pg_temp
AS $function$
BEGIN
  SELECT head.passed_until > instant INTO passed FROM head;
  IF NOT passed THEN
    PERFORM lock_appends();
    UPDATE head SET passed_until = greatest(head.passed_until, date_trunc('milliseconds', clock_timestamp()))
    RETURNING head.passed_until > instant INTO passed;
  END IF;
  SELECT commit.last_position INTO last_position
  FROM commit
  WHERE commit.recorded_at <= instant
  ORDER BY commit.recorded_at DESC, commit.last_position DESC
  LIMIT 1;
END
$function$;
RESET ROLE;
