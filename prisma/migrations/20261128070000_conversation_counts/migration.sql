-- How many conversations a workspace has, by status and assignee: counting those of a large workspace takes longer than a
-- list of them. Changes are only inserted, so that no transaction waits for another one; a background job adds them up. No
-- foreign key: they are drained with their workspace.
CREATE TABLE "conversation_counts" (
    "id" BIGSERIAL NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "status" "ConversationStatus" NOT NULL,
    "assignee_id" TEXT,
    "change" INTEGER NOT NULL,
    "is_sum" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "conversation_counts_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "conversation_counts_workspace_id_status_assignee_id_idx" ON "conversation_counts"("workspace_id", "status", "assignee_id");
CREATE INDEX "conversation_counts_changes_idx" ON "conversation_counts"("id") WHERE (NOT is_sum);

-- By triggers, for nodes of the previous version write conversations, too.
CREATE FUNCTION "count_conversations"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO conversation_counts (workspace_id, status, assignee_id, change)
    SELECT workspace_id, status, assignee_id, count(*) FROM changed GROUP BY workspace_id, status, assignee_id;
  ELSE
    INSERT INTO conversation_counts (workspace_id, status, assignee_id, change)
    SELECT workspace_id, status, assignee_id, -count(*) FROM changed GROUP BY workspace_id, status, assignee_id;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER "conversations_counted" AFTER INSERT ON "conversations"
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION "count_conversations"();
CREATE TRIGGER "conversations_uncounted" AFTER DELETE ON "conversations"
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION "count_conversations"();

-- For each row: a statement's trigger would run for every message.
CREATE FUNCTION "recount_conversation"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO conversation_counts (workspace_id, status, assignee_id, change)
  VALUES (OLD.workspace_id, OLD.status, OLD.assignee_id, -1), (NEW.workspace_id, NEW.status, NEW.assignee_id, 1);
  RETURN NULL;
END
$$;
CREATE TRIGGER "conversations_recounted" AFTER UPDATE OF "status", "assignee_id" ON "conversations"
  FOR EACH ROW WHEN (NEW.status IS DISTINCT FROM OLD.status OR NEW.assignee_id IS DISTINCT FROM OLD.assignee_id)
  EXECUTE FUNCTION "recount_conversation"();
