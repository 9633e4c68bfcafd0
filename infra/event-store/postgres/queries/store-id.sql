-- The identity of the store.
SELECT store_id FROM event_store.store
