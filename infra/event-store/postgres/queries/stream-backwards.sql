-- Events of stream $1 from revision $2 down to $3, at most $4.
SELECT position, revision, id, recorded_at, occurred_at, received_at, value, seq, stream_key, template_id, content, traceparent
FROM event_store.event
WHERE stream_key = $1 AND revision <= $2 AND revision >= $3
ORDER BY revision DESC
LIMIT $4
