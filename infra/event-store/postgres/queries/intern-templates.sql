SELECT unnest(event_store.intern_templates($1))
