-- As page-filtered.sql, but without readings in typed form, which its index leaves out.
SELECT position, revision, id, recorded_at, occurred_at, received_at, value, seq, stream_key, template_id, content, traceparent
FROM event_store.event
WHERE position > $1 AND position <= $2
  AND template_id IS NULL
  AND ($4::text[] IS NULL OR type = ANY ($4))
  AND ($5::text[] IS NULL
    OR (SELECT stream.category FROM event_store.stream WHERE stream.stream_key = event.stream_key) = ANY ($5))
ORDER BY position
LIMIT $3
