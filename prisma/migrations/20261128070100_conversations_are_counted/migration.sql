-- guddesk: no transaction
-- Conversations that were there before the triggers. One snapshot has the conversations and what is counted of them; the
-- difference is one more change. So nobody waits, and doing it again changes nothing.
INSERT INTO "conversation_counts" (workspace_id, status, assignee_id, change)
SELECT workspace_id, status, assignee_id, sum(change)
  FROM (SELECT workspace_id, status, assignee_id, count(*) AS change FROM conversations GROUP BY workspace_id, status, assignee_id
        UNION ALL
        SELECT workspace_id, status, assignee_id, -change FROM conversation_counts) difference
 GROUP BY workspace_id, status, assignee_id
HAVING sum(change) <> 0;

-- Only counting used it.
DROP INDEX CONCURRENTLY IF EXISTS "conversations_workspace_id_status_assignee_id_idx";
