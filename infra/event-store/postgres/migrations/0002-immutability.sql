-- What is recorded stays: refused whoever asks, also a superuser, also in a replication session.
SET LOCAL ROLE bioledger_owner;

CREATE FUNCTION event_store.refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = event_store, pg_temp
AS $function$
BEGIN
  RAISE EXCEPTION '% of event_store.% is refused: what is recorded is never changed', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$function$;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.event
  FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.template
  FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.commit
  FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.store
  FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON event_store.stream
  FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON event_store.head
  FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();

ALTER TABLE event_store.event ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE event_store.template ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE event_store.commit ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE event_store.store ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE event_store.stream ENABLE ALWAYS TRIGGER refuse_removal;
ALTER TABLE event_store.head ENABLE ALWAYS TRIGGER refuse_removal;

RESET ROLE;
