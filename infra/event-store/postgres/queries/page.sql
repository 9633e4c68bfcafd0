-- Events after $1 up to $2 in position order, at most $3.
SELECT position, revision, id, recorded_at, occurred_at, received_at, value, seq, stream_key, template_id, content, traceparent
FROM event_store.event
WHERE position > $1 AND position <= $2
ORDER BY position
LIMIT $3
