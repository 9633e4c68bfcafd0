-- Where revisions stand. $1 stream, $2 first revision, $3 events, $4 first index, $5 and $6 where its runs lie in $7
-- (no bytes: consecutive).
INSERT INTO ledger.stream_run (stream_key, first_revision, event_count, first_index, runs)
SELECT given.stream_key, given.first_revision, given.event_count, given.first_index,
  CASE WHEN given.runs_bytes > 0 THEN substring($7::bytea FROM given.runs_from FOR given.runs_bytes) END
FROM unnest($1::integer[], $2::bigint[], $3::integer[], $4::bigint[], $5::integer[], $6::integer[])
  AS given(stream_key, first_revision, event_count, first_index, runs_from, runs_bytes)
