-- A checkpoint of what the log holds, by the sequencer with the fence $1; nothing when another one took over.
INSERT INTO ledger.checkpoint (size, root, note, position, event_id, recorded_at)
SELECT $2, $3, $4, $5, $6, $7
FROM (SELECT FROM ledger.log WHERE fence = $1 AND size >= $2 FOR SHARE) AS held
