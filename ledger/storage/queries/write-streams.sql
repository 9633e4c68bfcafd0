-- Heads of streams. $1 key, $2 name, $3 events, $4 last index, $5 last leaf hashes, 32 bytes each in this order.
INSERT INTO ledger.stream (stream_key, name, event_count, last_index, last_hash)
SELECT given.stream_key, given.name, given.event_count, given.last_index,
  substring($5::bytea FROM (32 * (given.place - 1) + 1)::integer FOR 32)
FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
  AS given(stream_key, name, event_count, last_index, place)
ON CONFLICT (stream_key) DO UPDATE
SET event_count = excluded.event_count, last_index = excluded.last_index, last_hash = excluded.last_hash
