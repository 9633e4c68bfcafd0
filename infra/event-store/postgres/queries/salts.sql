-- The salts of the events with the ids $1, of those that have one.
SELECT id, salt
FROM event_store.event
WHERE id = ANY ($1) AND salt IS NOT NULL
