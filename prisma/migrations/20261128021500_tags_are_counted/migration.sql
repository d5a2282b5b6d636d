-- guddesk: no transaction
-- By triggers, for nodes of the version before write tags, too. Counters are changed in the order of their names, so that two
-- conversations with the same tags never wait for each other.
CREATE OR REPLACE FUNCTION "count_tags"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  had text[] := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE OLD.tags END;
  has text[] := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE NEW.tags END;
BEGIN
  IF TG_OP = 'DELETE' THEN
    -- Never a new row: the workspace may be on its way out.
    UPDATE tags SET conversation_count = tags.conversation_count - 1
      FROM (SELECT t.name FROM tags t WHERE t.workspace_id = OLD.workspace_id AND t.name = ANY(had) ORDER BY t.name FOR UPDATE) counted
     WHERE tags.workspace_id = OLD.workspace_id AND tags.name = counted.name;
  ELSE
    INSERT INTO tags (workspace_id, name, conversation_count)
    SELECT NEW.workspace_id, name, change
      FROM (SELECT unnest(has) AS name, 1 AS change EXCEPT SELECT unnest(had), 1
            UNION ALL
            (SELECT unnest(had), -1 EXCEPT SELECT unnest(has), -1)) changed
     ORDER BY name
    ON CONFLICT (workspace_id, name) DO UPDATE SET conversation_count = tags.conversation_count + EXCLUDED.conversation_count;
  END IF;
  IF NOT had <@ has THEN
    DELETE FROM tags WHERE workspace_id = OLD.workspace_id AND name = ANY(had) AND conversation_count = 0;
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER "conversations_tagged" AFTER INSERT ON "conversations"
  FOR EACH ROW WHEN (NEW.tags <> '{}') EXECUTE FUNCTION "count_tags"();
CREATE OR REPLACE TRIGGER "conversations_retagged" AFTER UPDATE OF "tags" ON "conversations"
  FOR EACH ROW WHEN (NEW.tags IS DISTINCT FROM OLD.tags) EXECUTE FUNCTION "count_tags"();
CREATE OR REPLACE TRIGGER "conversations_untagged" AFTER DELETE ON "conversations"
  FOR EACH ROW WHEN (OLD.tags <> '{}') EXECUTE FUNCTION "count_tags"();

-- Conversations that were there before the triggers. One snapshot has the conversations and what is counted of them; the
-- difference is added to whatever is counted meanwhile. So nobody waits, and doing it again changes nothing.
INSERT INTO "tags" (workspace_id, name, conversation_count)
SELECT workspace_id, name, COALESCE(there.conversations, 0) - COALESCE(known.conversation_count, 0)
  FROM (SELECT workspace_id, name, count(*)::int AS conversations
          FROM conversations CROSS JOIN LATERAL (SELECT DISTINCT unnest(tags) AS name) each
         GROUP BY workspace_id, name) there
  FULL JOIN tags known USING (workspace_id, name)
 WHERE there.conversations IS DISTINCT FROM known.conversation_count
 ORDER BY workspace_id, name
ON CONFLICT (workspace_id, name) DO UPDATE SET conversation_count = tags.conversation_count + EXCLUDED.conversation_count;
