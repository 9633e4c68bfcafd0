-- A row while the sequencer with the fence $1 may write and $2 entries are durable; nobody takes over before the transaction ends.
SELECT FROM ledger.log WHERE fence = $1 AND size >= $2 FOR SHARE
