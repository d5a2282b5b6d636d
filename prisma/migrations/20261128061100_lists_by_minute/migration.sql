-- guddesk: no transaction
-- Conversations from before the column, in batches: no row is locked for longer than its batch.
DO $$
DECLARE
  last text := '';
  next text;
BEGIN
  LOOP
    SELECT max(id) INTO next FROM (SELECT id FROM conversations WHERE id > last ORDER BY id LIMIT 5000) batch;
    EXIT WHEN next IS NULL;
    UPDATE conversations SET last_activity_at = last_activity_at
     WHERE id > last AND id <= next AND activity_minute IS NULL;
    COMMIT;
    last := next;
  END LOOP;
END
$$;
-- With the constraint, SET NOT NULL reads no table.
ALTER TABLE "conversations" DROP CONSTRAINT IF EXISTS "conversations_activity_minute_check";
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_activity_minute_check" CHECK ("activity_minute" IS NOT NULL) NOT VALID;
ALTER TABLE "conversations" VALIDATE CONSTRAINT "conversations_activity_minute_check";
ALTER TABLE "conversations" ALTER COLUMN "activity_minute" SET NOT NULL, ALTER COLUMN "activity_minute" SET DEFAULT now();
ALTER TABLE "conversations" DROP CONSTRAINT IF EXISTS "conversations_activity_minute_check";

CREATE INDEX CONCURRENTLY IF NOT EXISTS "conversations_workspace_id_activity_minute_idx" ON "conversations"("workspace_id", "activity_minute" DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS "conversations_workspace_id_status_activity_minute_idx" ON "conversations"("workspace_id", "status", "activity_minute" DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS "conversations_workspace_id_assignee_id_activity_minute_idx" ON "conversations"("workspace_id", "assignee_id", "activity_minute" DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS "conversations_workspace_id_visitor_id_activity_minute_idx" ON "conversations"("workspace_id", "visitor_id", "activity_minute" DESC);

-- Every message made an entry in each of these.
DROP INDEX CONCURRENTLY IF EXISTS "conversations_workspace_id_last_activity_at_id_idx";
DROP INDEX CONCURRENTLY IF EXISTS "conversations_workspace_id_status_last_activity_at_id_idx";
DROP INDEX CONCURRENTLY IF EXISTS "conversations_workspace_id_assignee_id_last_activity_at_id_idx";
DROP INDEX CONCURRENTLY IF EXISTS "conversations_workspace_id_visitor_id_last_activity_at_id_idx";
DROP INDEX CONCURRENTLY IF EXISTS "conversations_workspace_id_activity_xid_idx";

-- A message's words go to a list first, which maintenance puts into the index.
ALTER INDEX "messages_search_idx" SET (fastupdate = on);
