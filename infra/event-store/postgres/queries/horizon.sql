-- The last position, and whether streams of the categories $1 (null: any) hold readings in typed form.
SELECT
  head.position,
  EXISTS (
    SELECT FROM event_store.stream
    WHERE stream.holds_readings AND ($1::text[] IS NULL OR stream.category = ANY ($1))
  )
FROM event_store.head
