-- Compare and set: from size $1 and root $2 to size $3 and root $4, as the sequencer with the fence $5.
UPDATE ledger.log
SET size = $3, root = $4, store_id = $6, position = $7, event_id = $8, recorded_at = $9
WHERE size = $1 AND root = $2 AND fence = $5
