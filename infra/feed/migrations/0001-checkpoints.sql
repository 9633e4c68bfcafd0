-- How far each group of feed consumers has come in the event store, where the feed is the store's own subscription.
CREATE SCHEMA feed;
GRANT USAGE ON SCHEMA feed TO bioledger_app;

CREATE TABLE feed.checkpoint (
  consumer_group text PRIMARY KEY,
  store_id text NOT NULL,
  position bigint NOT NULL,
  event_id uuid NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE feed.checkpoint IS 'Everything up to the position was processed and what follows from it is durable';

GRANT SELECT, INSERT, UPDATE ON feed.checkpoint TO bioledger_app;
