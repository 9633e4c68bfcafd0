-- The events of these ids.
SELECT position, revision, id, recorded_at, occurred_at, received_at, value, seq, stream_key, template_id, content, traceparent
FROM event_store.event
WHERE id = ANY ($1)
