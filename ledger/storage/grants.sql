-- The product's role reads everything and appends; it changes only where the log stands and what grows at its end.
GRANT USAGE ON SCHEMA ledger TO bioledger_app;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ledger TO bioledger_app;
GRANT UPDATE ON ledger.log, ledger.tile, ledger.stream TO bioledger_app;
GRANT UPDATE (note) ON ledger.checkpoint TO bioledger_app;
GRANT UPDATE (event_index) ON ledger.heads_statement TO bioledger_app;
GRANT DELETE ON ledger.heads_request TO bioledger_app;
