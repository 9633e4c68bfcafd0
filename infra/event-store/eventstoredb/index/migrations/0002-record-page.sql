-- Takes one page of $all into the index and answers the positions of its events whose id was there before. Several processes may feed the
-- same index: the progress row is the lock, and what another one has already taken in is left alone. A page
-- begins where its feeder has seen the index stand, so nothing lies between; an index that stands before that has
-- lost what it had (SQLSTATE BL001), and its feeder must begin again where it stands.
CREATE FUNCTION eventstoredb_index.record_page(
  after bigint,
  through bigint,
  through_recorded_at timestamptz,
  positions bigint[],
  stream_names text[],
  revisions bigint[],
  event_ids uuid[],
  recorded_ats timestamptz[],
  fingerprints bytea[],
  head_names text[],
  head_revisions bigint[],
  head_sealed boolean[],
  step_from bigint[],
  step_until bigint[],
  step_recorded_at timestamptz[]
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  reached bigint;
  doubled bigint[];
BEGIN
  SELECT progress.position INTO reached FROM eventstoredb_index.progress FOR UPDATE;
  IF reached IS NULL THEN
    RAISE EXCEPTION 'the index of event ids has no progress row: it was never opened for a store';
  END IF;
  IF reached < record_page.after THEN
    RAISE EXCEPTION 'the index of event ids stands at % and not at %, where it stood before: it was restored or lost its end',
      reached, record_page.after USING ERRCODE = 'BL001';
  END IF;
  IF reached >= record_page.through THEN
    RETURN ARRAY[]::bigint[];
  END IF;

  INSERT INTO eventstoredb_index.stream AS known (name, head_revision, sealed)
  SELECT head.name, head.revision, head.sealed
  FROM unnest(record_page.head_names, record_page.head_revisions, record_page.head_sealed) AS head (name, revision, sealed)
  ON CONFLICT (name) DO UPDATE
    SET head_revision = excluded.head_revision, sealed = excluded.sealed
    WHERE known.head_revision < excluded.head_revision;

  INSERT INTO eventstoredb_index.event (position, stream_key, revision, event_id, recorded_at, fingerprint)
  SELECT page.position, stream.stream_key, page.revision, page.event_id, page.recorded_at, page.fingerprint
  FROM unnest(record_page.positions, record_page.stream_names, record_page.revisions, record_page.event_ids,
              record_page.recorded_ats, record_page.fingerprints)
       AS page (position, stream_name, revision, event_id, recorded_at, fingerprint)
  JOIN eventstoredb_index.stream ON stream.name = page.stream_name COLLATE "C"
  WHERE page.position > reached
  ORDER BY page.position;

  INSERT INTO eventstoredb_index.clock_step AS known (from_position, until_position, recorded_at)
  SELECT step.from_position, step.until_position, step.recorded_at
  FROM unnest(record_page.step_from, record_page.step_until, record_page.step_recorded_at)
       AS step (from_position, until_position, recorded_at)
  ON CONFLICT (from_position) DO UPDATE
    SET until_position = greatest(known.until_position, excluded.until_position);

  UPDATE eventstoredb_index.progress
  SET position = record_page.through,
      recorded_at = greatest(progress.recorded_at, record_page.through_recorded_at);

  SELECT coalesce(array_agg(page.position), ARRAY[]::bigint[]) INTO doubled
  FROM unnest(record_page.positions, record_page.event_ids) AS page (position, event_id)
  WHERE page.position > reached
    AND EXISTS (SELECT FROM eventstoredb_index.event AS earlier
                WHERE earlier.event_id = page.event_id AND earlier.position < page.position);
  RETURN doubled;
END
$$;
