-- The last position and when it was recorded; no row for an empty store.
SELECT commit.last_position, commit.recorded_at
FROM event_store.commit
ORDER BY commit.first_position DESC
LIMIT 1
