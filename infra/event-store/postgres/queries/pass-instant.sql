SELECT passed, last_position FROM event_store.pass_instant($1)
