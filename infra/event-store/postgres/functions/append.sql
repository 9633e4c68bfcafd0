-- Appends many requests in one commit, each of them whole or not at all. The committer sees to it that a call
-- holds at most one request a stream and no event id twice. Answers one row a request (event null: outcome, the
-- first new revision and position, or the stream's revision on conflict), then one for each event that was there
-- before. Expected revisions: -1 any, -2 no stream, -3 stream exists.
CREATE OR REPLACE FUNCTION event_store.append(
  r_stream text[], r_category text[], r_expected bigint[],
  e_request integer[], e_id uuid[], e_type smallint[], e_fingerprint bigint[], e_template integer[],
  e_occurred bigint[], e_received bigint[], e_seq bigint[], e_value double precision[],
  e_client text[], e_salt bytea[], e_traceparent text[], e_seals boolean[]
) RETURNS TABLE (request integer, event integer, outcome text, revision bigint, "position" bigint, recorded_ms bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = event_store, pg_temp
-- Plans are kept from when the log was empty: never scan it then or later.
SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  base bigint;
  now_ms bigint;
  added bigint;
  found_event integer[];
  found_request integer[];
  found_stream integer[];
  found_revision bigint[];
  found_position bigint[];
  found_recorded bigint[];
  found_same boolean[];
  k_outcome text[];
  k_stream integer[];
  k_revision bigint[];
BEGIN
  -- The first statement: whatever follows sees everything that was committed before the lock was ours.
  PERFORM pg_advisory_xact_lock(hashtextextended('bioledger event log', 0));

  SELECT array_agg(given.ord), array_agg(given.request), array_agg(known.stream_key), array_agg(known.revision),
         array_agg(known.position), array_agg(known.recorded_ms),
         array_agg(CASE WHEN known.template_id IS NULL
           THEN given.template IS NULL AND known.fingerprint = given.fingerprint
           ELSE known.template_id = given.template AND known.occurred_ms = given.occurred
             AND known.seq IS NOT DISTINCT FROM given.seq AND known.value = given.value END IS TRUE)
    INTO found_event, found_request, found_stream, found_revision, found_position, found_recorded, found_same
    FROM unnest(e_request, e_id, e_fingerprint, e_template, e_occurred, e_seq, e_value)
         WITH ORDINALITY AS given (request, id, fingerprint, template, occurred, seq, value, ord)
   CROSS JOIN LATERAL (SELECT * FROM event_store.event AS e WHERE e.event_id = given.id LIMIT 1) AS known;

  WITH requested AS (
    SELECT wanted.ord::integer AS ord, wanted.expected, stream.stream_key,
           coalesce(stream.revision, -1) AS revision, coalesce(stream.sealed, false) AS sealed
      FROM unnest(r_stream, r_expected) WITH ORDINALITY AS wanted (name, expected, ord)
      LEFT JOIN stream ON stream.name = wanted.name
  ), offered AS (
    SELECT given.request AS ord, count(*) AS events FROM unnest(e_request) AS given (request) GROUP BY given.request
  ), there AS (
    SELECT known.request AS ord, count(*) AS events,
           bool_and(known.same AND known.stream_key IS NOT DISTINCT FROM requested.stream_key) AS same
      FROM unnest(found_request, found_stream, found_same) AS known (request, stream_key, same)
      JOIN requested ON requested.ord = known.request
     GROUP BY known.request
  ), judged AS (
    SELECT requested.ord, requested.stream_key, requested.revision,
           CASE
             WHEN there.events > 0 AND NOT there.same THEN 'id-collision'
             WHEN there.events = offered.events THEN 'duplicate'
             WHEN requested.sealed THEN 'sealed'
             WHEN requested.expected = -1 THEN 'appended'
             WHEN requested.expected = -3 AND requested.stream_key IS NOT NULL THEN 'appended'
             WHEN there.events > 0 THEN 'conflict'
             WHEN requested.expected = -2 AND requested.stream_key IS NULL THEN 'appended'
             WHEN requested.expected >= 0 AND requested.expected = requested.revision THEN 'appended'
             ELSE 'conflict'
           END AS outcome
      FROM requested JOIN offered USING (ord) LEFT JOIN there USING (ord)
  )
  SELECT array_agg(judged.outcome ORDER BY judged.ord), array_agg(judged.stream_key ORDER BY judged.ord),
         array_agg(judged.revision ORDER BY judged.ord)
    INTO k_outcome, k_stream, k_revision FROM judged;

  SELECT head.position, greatest(head.recorded_ms, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
    INTO base, now_ms FROM head;

  IF 'appended' = ANY (k_outcome) THEN
    PERFORM ensure_partition(base + 1);
    PERFORM ensure_partition(base + cardinality(e_id));

    INSERT INTO stream (name, category, revision)
    SELECT wanted.name, wanted.category, -1
      FROM unnest(r_stream, r_category, k_outcome, k_stream) AS wanted (name, category, outcome, stream_key)
     WHERE wanted.outcome = 'appended' AND wanted.stream_key IS NULL;

    WITH target AS (
      SELECT wanted.ord, stream.stream_key, wanted.revision
        FROM unnest(r_stream, k_outcome, k_revision) WITH ORDINALITY AS wanted (name, outcome, revision, ord)
        JOIN stream ON stream.name = wanted.name
       WHERE wanted.outcome = 'appended'
    ), fresh AS (
      SELECT given.*, target.stream_key, target.revision AS last_revision,
             row_number() OVER (ORDER BY given.ord) AS place,
             row_number() OVER (PARTITION BY given.request ORDER BY given.ord) AS in_request
        FROM unnest(e_request, e_id, e_type, e_fingerprint, e_template, e_occurred, e_received, e_seq, e_value, e_client, e_salt, e_traceparent, e_seals)
             WITH ORDINALITY AS given (request, id, type_id, fingerprint, template, occurred, received, seq, value, client, salt, traceparent, seals, ord)
        JOIN target ON target.ord = given.request
       WHERE found_event IS NULL OR NOT given.ord = ANY (found_event)
    ), inserted AS (
      INSERT INTO event_store.event (position, recorded_ms, revision, fingerprint, occurred_ms, received_ms, seq, value,
                                     stream_key, template_id, type_id, event_id, client, salt, traceparent)
      SELECT base + fresh.place, now_ms, fresh.last_revision + fresh.in_request, fresh.fingerprint, fresh.occurred, fresh.received,
             fresh.seq, fresh.value, fresh.stream_key, fresh.template, fresh.type_id, fresh.id, fresh.client, fresh.salt, fresh.traceparent
        FROM fresh ORDER BY fresh.place
    ), grown AS (
      UPDATE stream SET revision = stream.revision + grew.events, sealed = grew.seals
        FROM (SELECT fresh.stream_key, count(*) AS events, bool_or(fresh.seals) AS seals FROM fresh GROUP BY fresh.stream_key) AS grew
       WHERE stream.stream_key = grew.stream_key
    )
    SELECT count(*) INTO added FROM fresh;
    UPDATE head SET position = base + added, recorded_ms = now_ms;
    INSERT INTO commit (last_position, recorded_ms) VALUES (base + added, now_ms);
    PERFORM pg_notify('bioledger_events', '');
  END IF;

  RETURN QUERY
  WITH offered AS (
    SELECT given.request AS ord,
           count(*) FILTER (WHERE found_event IS NULL OR NOT given.ord = ANY (found_event)) AS fresh
      FROM unnest(e_request) WITH ORDINALITY AS given (request, ord) GROUP BY given.request
  )
  SELECT judged.ord::integer, NULL::integer, judged.outcome,
         CASE WHEN judged.outcome = 'appended' THEN judged.revision + 1 ELSE judged.revision END,
         base + 1 + coalesce(sum(offered.fresh) FILTER (WHERE judged.outcome = 'appended')
           OVER (ORDER BY judged.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::bigint,
         now_ms
    FROM unnest(k_outcome, k_revision) WITH ORDINALITY AS judged (outcome, revision, ord)
    JOIN offered ON offered.ord = judged.ord
   ORDER BY judged.ord;
  RETURN QUERY
  SELECT known.request, known.event, CASE WHEN known.same THEN 'same' ELSE 'other' END, known.revision, known.position, known.recorded_ms
    FROM unnest(found_request, found_event, found_same, found_revision, found_position, found_recorded)
         AS known (request, event, same, revision, position, recorded_ms);
END $$;
