SELECT event_store.lock_appends()
