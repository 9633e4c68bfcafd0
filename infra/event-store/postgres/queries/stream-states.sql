-- Where these streams stand.
SELECT name, stream_key, revision, sealed FROM event_store.stream WHERE name = ANY ($1)
