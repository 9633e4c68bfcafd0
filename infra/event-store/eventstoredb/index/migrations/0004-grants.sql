-- The product's role may read and take in, never remove: nothing in the index can be made to disappear by it.
GRANT USAGE ON SCHEMA eventstoredb_index TO bioledger_app;
GRANT SELECT, INSERT ON eventstoredb_index.event TO bioledger_app;
GRANT SELECT, INSERT, UPDATE ON eventstoredb_index.stream, eventstoredb_index.progress, eventstoredb_index.clock_step TO bioledger_app;
