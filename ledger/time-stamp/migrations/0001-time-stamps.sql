-- RFC 3161 time stamps over published checkpoints. A row is written after the token was verified, and never changed but
-- for the note that its event stands in the log.
CREATE TABLE ledger.time_stamp (
  event_id uuid PRIMARY KEY,
  size bigint NOT NULL CHECK (size >= 0),
  authority text NOT NULL,
  stamped_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  checkpoint text NOT NULL,
  response bytea NOT NULL,
  chain text NOT NULL,
  logged_at timestamptz
);
COMMENT ON TABLE ledger.time_stamp IS 'Time stamps of outside authorities over the ledger''s checkpoints';
COMMENT ON COLUMN ledger.time_stamp.event_id IS 'Of its CheckpointTimeStamped event, derived from the response';
COMMENT ON COLUMN ledger.time_stamp.checkpoint IS 'The signed text that was stamped, without its signatures';
COMMENT ON COLUMN ledger.time_stamp.response IS 'DER of the TimeStampResp as the authority sent it';
COMMENT ON COLUMN ledger.time_stamp.chain IS 'PEM: the authority''s certificate first, the trusted one last, as verified at stamped_at';
COMMENT ON COLUMN ledger.time_stamp.logged_at IS 'Null while the event is not known to stand in the event store';
CREATE INDEX time_stamp_size ON ledger.time_stamp (size);
CREATE INDEX time_stamp_unlogged ON ledger.time_stamp (received_at) WHERE logged_at IS NULL;
GRANT SELECT, INSERT, UPDATE (logged_at) ON ledger.time_stamp TO bioledger_app;
