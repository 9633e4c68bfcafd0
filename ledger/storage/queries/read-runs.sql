-- Rows of runs of the stream $1 from the one that holds revision $2 on, of entries below $3, at most $4 of them.
SELECT first_revision, event_count, first_index, runs
FROM ledger.stream_run
WHERE stream_key = (SELECT stream_key FROM ledger.stream WHERE name = $1)
  AND first_revision >= coalesce((
    SELECT max(before.first_revision) FROM ledger.stream_run AS before
    WHERE before.stream_key = (SELECT stream_key FROM ledger.stream WHERE name = $1) AND before.first_revision <= $2), 0)
  AND first_index < $3
ORDER BY first_revision
LIMIT $4
