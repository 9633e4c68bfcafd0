-- Appends the events of one flush, all or none of them, in their order.
--
-- Nothing is written and `written` is false when a stream does not stand as `expected` says (null: anyhow, -2: it
-- exists, -1: it does not, else its last revision), is sealed, or an id is known. The caller then decides under the
-- lock, knowing why. On success: the positions are first_position, first_position + 1, …; `revisions` says where
-- each stream stood before (-1: nowhere).
--
-- Readings and general events come as parallel arrays. `…_order` numbers all events of the flush and `…_nth` those of
-- one stream, both from 1 without holes; `…_stream` counts in `streams`, `reading_…_at` in `instants`, from 1.
SET LOCAL ROLE bioledger_owner;
CREATE OR REPLACE FUNCTION event_store.append(
  streams text[],
  expected bigint[],
  instants timestamptz[],
  reading_order integer[],
  reading_stream integer[],
  reading_nth integer[],
  reading_id uuid[],
  reading_template integer[],
  reading_occurred_at integer[],
  reading_received_at integer[],
  reading_value double precision[],
  reading_seq bigint[],
  reading_traceparent text[],
  general_order integer[],
  general_stream integer[],
  general_nth integer[],
  general_id uuid[],
  general_type text[],
  general_content text[],
  general_salt bytea[],
  general_traceparent text[],
  OUT written boolean,
  OUT first_position bigint,
  OUT recorded_at timestamptz,
  OUT revisions bigint[]
)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = event_store, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $function$
DECLARE
  event_count constant integer := cardinality(reading_id) + cardinality(general_id);
  base bigint;
  stream_keys integer[];
  acceptable boolean;
  complete boolean;
BEGIN
  PERFORM lock_appends();

  SELECT
    array_agg(coalesce(stream.stream_key, 0) ORDER BY wanted.place),
    array_agg(coalesce(stream.revision, -1) ORDER BY wanted.place),
    bool_and(
      NOT coalesce(stream.sealed, false)
      AND (wanted.revision IS NULL
        OR wanted.revision = coalesce(stream.revision, -1)
        OR (wanted.revision = -2 AND stream.stream_key IS NOT NULL))
    )
  INTO stream_keys, revisions, acceptable
  FROM unnest(streams, expected) WITH ORDINALITY AS wanted (name, revision, place)
  LEFT JOIN stream ON stream.name = wanted.name;

  written := acceptable
    AND NOT EXISTS (
      SELECT FROM unnest(reading_id || general_id) AS wanted (id)
      WHERE EXISTS (SELECT FROM event WHERE event.id = wanted.id)
    );
  IF NOT written THEN
    RETURN;
  END IF;

  IF 0 = ANY (stream_keys) THEN
    INSERT INTO stream (name, revision, sealed, holds_readings)
    SELECT streams[wanted.place], -1, false, false
    FROM unnest(stream_keys) WITH ORDINALITY AS wanted (stream_key, place)
    WHERE wanted.stream_key = 0
    ORDER BY wanted.place;
    SELECT array_agg(stream.stream_key ORDER BY wanted.place)
    INTO stream_keys
    FROM unnest(streams) WITH ORDINALITY AS wanted (name, place)
    JOIN stream ON stream.name = wanted.name;
  END IF;

  UPDATE head SET
    position = head.position + event_count,
    passed_until = greatest(head.passed_until, date_trunc('milliseconds', clock_timestamp()))
  RETURNING head.position - event_count, head.passed_until
  INTO base, recorded_at;
  first_position := base + 1;

  IF cardinality(reading_id) > 0 THEN
    INSERT INTO event (
      position, revision, id, recorded_at, occurred_at, received_at, value, seq, stream_key, template_id, traceparent
    )
    SELECT
      base + reading.place,
      revisions[reading.stream] + reading.nth,
      reading.id,
      append.recorded_at,
      instants[reading.occurred_at],
      instants[reading.received_at],
      reading.value,
      reading.seq,
      stream_keys[reading.stream],
      reading.template_id,
      reading.traceparent
    FROM unnest(
      reading_order, reading_stream, reading_nth, reading_id, reading_template,
      reading_occurred_at, reading_received_at, reading_value, reading_seq, reading_traceparent
    ) AS reading (place, stream, nth, id, template_id, occurred_at, received_at, value, seq, traceparent);
  END IF;

  IF cardinality(general_id) > 0 THEN
    INSERT INTO event (position, revision, id, recorded_at, stream_key, type, content, salt, traceparent)
    SELECT
      base + general.place,
      revisions[general.stream] + general.nth,
      general.id,
      append.recorded_at,
      stream_keys[general.stream],
      general.type,
      general.content,
      general.salt,
      general.traceparent
    FROM unnest(
      general_order, general_stream, general_nth, general_id,
      general_type, general_content, general_salt, general_traceparent
    ) AS general (place, stream, nth, id, type, content, salt, traceparent);
  END IF;

  WITH flushed AS (
    SELECT reading.place, reading.stream, reading.nth, true AS is_reading, false AS seals
    FROM unnest(reading_order, reading_stream, reading_nth) AS reading (place, stream, nth)
    UNION ALL
    SELECT general.place, general.stream, general.nth, false, general.type = 'StreamSealed'
    FROM unnest(general_order, general_stream, general_nth, general_type) AS general (place, stream, nth, type)
  ),
  grown AS (
    SELECT
      flushed.stream,
      count(*) AS events,
      min(flushed.nth) = 1 AND max(flushed.nth) = count(*) AS contiguous,
      max(flushed.nth) = max(flushed.nth) FILTER (WHERE flushed.seals) AS seals,
      bool_or(flushed.is_reading) AS holds_readings,
      min(flushed.place) AS first_place,
      max(flushed.place) AS last_place
    FROM flushed
    GROUP BY flushed.stream
  ),
  moved AS (
    UPDATE stream SET
      revision = stream.revision + grown.events,
      sealed = coalesce(grown.seals, false),
      holds_readings = stream.holds_readings OR grown.holds_readings
    FROM grown
    WHERE stream.stream_key = stream_keys[grown.stream]
    RETURNING grown.contiguous, grown.first_place, grown.last_place
  )
  SELECT bool_and(contiguous) AND min(first_place) = 1 AND max(last_place) = event_count
    AND count(*) = cardinality(streams)
  INTO complete
  FROM moved;
  IF complete IS NOT TRUE THEN
    RAISE EXCEPTION 'a flush of % events numbers its events or streams with holes', event_count
      USING ERRCODE = 'invalid_parameter_value';
  END IF;

  INSERT INTO commit (first_position, last_position, recorded_at)
  VALUES (first_position, base + event_count, append.recorded_at);
  PERFORM pg_notify('bioledger_event_store', '');
END
$function$;
RESET ROLE;
