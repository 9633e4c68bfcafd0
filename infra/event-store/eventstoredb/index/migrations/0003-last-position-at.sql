-- The last indexed position recorded at or before an instant; null when there is none. Record times never step
-- back along positions, so a binary search over the primary key answers it without an index on the time.
CREATE FUNCTION eventstoredb_index.last_position_at(instant timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  low bigint;
  high bigint;
  middle bigint;
  probe record;
BEGIN
  SELECT event.position, event.recorded_at INTO probe FROM eventstoredb_index.event ORDER BY event.position LIMIT 1;
  IF probe.position IS NULL OR probe.recorded_at > last_position_at.instant THEN
    RETURN NULL;
  END IF;
  low := probe.position; -- an event stands here, recorded in time
  SELECT event.position, event.recorded_at INTO probe FROM eventstoredb_index.event ORDER BY event.position DESC LIMIT 1;
  IF probe.recorded_at <= last_position_at.instant THEN
    RETURN probe.position;
  END IF;
  high := probe.position; -- an event stands here, recorded too late
  LOOP
    middle := low + (high - low) / 2;
    SELECT event.position, event.recorded_at INTO probe
    FROM eventstoredb_index.event
    WHERE event.position > middle AND event.position < high
    ORDER BY event.position LIMIT 1;
    IF probe.position IS NULL THEN
      -- Nothing between the middle and high: look below.
      SELECT event.position, event.recorded_at INTO probe
      FROM eventstoredb_index.event
      WHERE event.position > low AND event.position <= middle
      ORDER BY event.position DESC LIMIT 1;
      IF probe.position IS NULL THEN
        RETURN low;
      END IF;
    END IF;
    IF probe.recorded_at <= last_position_at.instant THEN
      low := probe.position;
    ELSE
      high := probe.position;
    END IF;
  END LOOP;
END
$$;
