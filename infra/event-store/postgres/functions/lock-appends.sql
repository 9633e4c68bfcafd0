-- Only one transaction at a time appends or passes an instant; held until the transaction ends. It must be the
-- first statement: what follows then sees everything that was committed before.
SET LOCAL ROLE bioledger_owner;
CREATE OR REPLACE FUNCTION event_store.lock_appends() RETURNS void
LANGUAGE sql
SET search_path = event_store, pg_temp
BEGIN ATOMIC
  SELECT pg_advisory_xact_lock(4708126253710921);
END;
RESET ROLE;
