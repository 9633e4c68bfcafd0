-- The product's role reads and calls; only the functions, which belong to the owner, write.
SET LOCAL ROLE bioledger_owner;
REVOKE ALL ON SCHEMA event_store FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA event_store FROM PUBLIC, bioledger_app;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA event_store FROM PUBLIC, bioledger_app;
GRANT USAGE ON SCHEMA event_store TO bioledger_app;
GRANT SELECT ON ALL TABLES IN SCHEMA event_store TO bioledger_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA event_store TO bioledger_app;
REVOKE EXECUTE ON FUNCTION event_store.refuse_change() FROM bioledger_app;
RESET ROLE;
