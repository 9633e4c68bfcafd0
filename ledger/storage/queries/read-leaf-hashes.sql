-- Leaf hashes of the level-0 tiles $1.
SELECT first_index, hashes
FROM unnest($1::bigint[]) AS wanted(tile_index)
JOIN ledger.entry_chunk ON first_index >= tile_index * 256 AND first_index < (tile_index + 1) * 256
ORDER BY first_index
