-- The templates of these ids.
SELECT template_id, content FROM event_store.template WHERE template_id = ANY ($1)
