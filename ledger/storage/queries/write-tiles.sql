-- Tiles above level 0 as they are now. $1 level, $2 index, $3 and $4 where its hashes lie in $5.
INSERT INTO ledger.tile (level, tile_index, hashes)
SELECT given.level, given.tile_index, substring($5::bytea FROM given.hashes_from FOR given.hashes_bytes)
FROM unnest($1::integer[], $2::bigint[], $3::integer[], $4::integer[]) AS given(level, tile_index, hashes_from, hashes_bytes)
ON CONFLICT (level, tile_index) DO UPDATE SET hashes = excluded.hashes
