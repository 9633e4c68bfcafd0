-- The product's role may read the record and append to it; it owns nothing and changes nothing.
ALTER FUNCTION event_store.append(text[], text[], bigint[], integer[], uuid[], smallint[], bigint[], integer[], bigint[], bigint[], bigint[], double precision[], text[], bytea[], text[], boolean[]) OWNER TO bioledger_owner;
ALTER FUNCTION event_store.pass_instant(bigint) OWNER TO bioledger_owner;
ALTER FUNCTION event_store.intern_type(text) OWNER TO bioledger_owner;
ALTER FUNCTION event_store.intern_template(text) OWNER TO bioledger_owner;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA event_store FROM PUBLIC;
GRANT USAGE ON SCHEMA event_store TO bioledger_app;
GRANT SELECT ON event_store.store, event_store.head, event_store.event_type, event_store.reading_template, event_store.stream, event_store.commit, event_store.event TO bioledger_app;
GRANT EXECUTE ON FUNCTION event_store.append(text[], text[], bigint[], integer[], uuid[], smallint[], bigint[], integer[], bigint[], bigint[], bigint[], double precision[], text[], bytea[], text[], boolean[]) TO bioledger_app;
GRANT EXECUTE ON FUNCTION event_store.pass_instant(bigint), event_store.intern_type(text), event_store.intern_template(text) TO bioledger_app;
