-- The role that owns the store. Roles belong to the whole server: another database may be making it just now.
DO $roles$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bioledger_owner') THEN
    CREATE ROLE bioledger_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$roles$;
