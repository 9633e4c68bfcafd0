-- Chunks that hold entries $1 to $2 - 1, at most $3 of them.
SELECT first_index, entry_count, entries
FROM ledger.entry_chunk
WHERE first_index >= $1 / 256 * 256 AND first_index + entry_count > $1 AND first_index < $2
ORDER BY first_index
LIMIT $3
