-- The ids of a workspace's conversations that have all of the words in one message, in the subject, or in the visitor's
-- name and address, each once. Always by the indexes: the planner would read whole tables for a word that is in most of
-- their rows, computing the words of each row. It does not look into a function with settings of its own.
CREATE FUNCTION search_conversations(workspace text, words text[], in_notes boolean) RETURNS SETOF text
LANGUAGE sql STABLE ROWS 1000 SET enable_seqscan = off SET jit = off AS $$
  SELECT conversation_id FROM messages
   WHERE search_words(workspace_id, body) @@ search_query(workspace, words)
     AND (in_notes OR type IN ('VISITOR', 'AGENT', 'BOT'))
  UNION
  SELECT id FROM conversations WHERE search_words(workspace_id, subject) @@ search_query(workspace, words)
  UNION
  SELECT theirs.id FROM visitors
    JOIN conversations theirs ON theirs.workspace_id = visitors.workspace_id AND theirs.visitor_id = visitors.id
   WHERE search_words(visitors.workspace_id, COALESCE(visitors.name, '') || ' ' || COALESCE(visitors.email, ''))
         @@ search_query(workspace, words)
$$;
