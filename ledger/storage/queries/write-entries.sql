-- Chunks of entries. $1 first index, $2 entries, $3 and $4 where its bytes lie in $5, $6 where its hashes lie in $7,
-- $8 first position, $9 and $10 where its other positions lie in $11 (no bytes: consecutive).
INSERT INTO ledger.entry_chunk (first_index, entry_count, entries, hashes, first_position, positions)
SELECT chunk.first_index, chunk.entry_count,
  substring($5::bytea FROM chunk.entries_from FOR chunk.entries_bytes),
  substring($7::bytea FROM chunk.hashes_from FOR 32 * chunk.entry_count),
  chunk.first_position,
  CASE WHEN chunk.positions_bytes > 0 THEN substring($11::bytea FROM chunk.positions_from FOR chunk.positions_bytes) END
FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], $6::integer[], $8::bigint[], $9::integer[], $10::integer[])
  AS chunk(first_index, entry_count, entries_from, entries_bytes, hashes_from, first_position, positions_from, positions_bytes)
