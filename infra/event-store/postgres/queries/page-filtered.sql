-- Events after $1 up to $2 in position order, at most $3: of the types $4 and of streams of the categories $5 (null: all).
SELECT position, revision, id, recorded_at, occurred_at, received_at, value, seq, stream_key, template_id, content, traceparent
FROM event_store.event
WHERE position > $1 AND position <= $2
  AND ($4::text[] IS NULL OR coalesce(type, 'SensorReadingRecorded') = ANY ($4))
  AND ($5::text[] IS NULL
    OR (SELECT stream.category FROM event_store.stream WHERE stream.stream_key = event.stream_key) = ANY ($5))
ORDER BY position
LIMIT $3
