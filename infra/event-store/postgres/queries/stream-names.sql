-- The names of these streams.
SELECT stream_key, name FROM event_store.stream WHERE stream_key = ANY ($1)
