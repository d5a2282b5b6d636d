-- guddesk: no transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS "pictures_further_tries_idx" ON "pictures"("next_try_at") WHERE (tries > 0 AND next_try_at IS NOT NULL);
