-- Runs once, by psql, when the Postgres container makes its cluster (docker-entrypoint-initdb.d), in the
-- product's database and as superuser.
--
-- bioledger_owner  owns what the migrations make; no superuser, may not create roles or databases
-- bioledger_app    what the product works with: owns nothing, gets its rights from the migrations
\getenv owner_password POSTGRES_OWNER_PASSWORD
\getenv app_password POSTGRES_APP_PASSWORD

CREATE ROLE bioledger_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE bioledger_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';

-- Owning the database is the right to make schemas and trusted extensions (btree_gist) in it.
SELECT format('ALTER DATABASE %I OWNER TO bioledger_owner', current_database()) \gexec
