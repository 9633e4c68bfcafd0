-- When the event at position $1, or the last one before it, was recorded.
SELECT commit.recorded_at
FROM event_store.commit
WHERE commit.first_position <= $1
ORDER BY commit.first_position DESC
LIMIT 1
