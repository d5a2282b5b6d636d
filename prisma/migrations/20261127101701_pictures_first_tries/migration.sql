-- guddesk: no transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS "pictures_first_tries_idx" ON "pictures"("workspace_id", "next_try_at") WHERE (tries = 0 AND next_try_at IS NOT NULL);
