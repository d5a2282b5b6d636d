-- guddesk: no transaction
-- What is removed goes at once, and what belonged to it later, in batches: "removals" names it until nothing is left.
CREATE TABLE IF NOT EXISTS "removals" (
    "id" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "actor" JSONB,
    "removed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "removals_pkey" PRIMARY KEY ("workspace_id","id")
);

-- However an endpoint or a member goes: by the API, with its agent, or by a node of the version before.
CREATE OR REPLACE FUNCTION "note_removals"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- What is in a removed workspace is drained with it.
  INSERT INTO removals (id, workspace_id)
  SELECT gone.id, gone.workspace_id FROM gone
   WHERE NOT EXISTS (SELECT FROM removals r WHERE (r.workspace_id, r.id) = (gone.workspace_id, gone.workspace_id))
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER "webhook_endpoints_removed" AFTER DELETE ON "webhook_endpoints"
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION "note_removals"();
CREATE OR REPLACE TRIGGER "members_removed" AFTER DELETE ON "members"
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION "note_removals"();

-- A removed workspace stays until it is drained: nobody gets into it meanwhile. The names of these triggers make them run
-- after the foreign keys', which wait for whoever removes it.
CREATE OR REPLACE FUNCTION "refuse_removed_workspace"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM removals WHERE (workspace_id, id) = (NEW.workspace_id, NEW.workspace_id)) THEN
    RAISE EXCEPTION 'The workspace was removed' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER "zz_workspace_is_there" AFTER INSERT ON "members"
  FOR EACH ROW EXECUTE FUNCTION "refuse_removed_workspace"();
CREATE OR REPLACE TRIGGER "zz_workspace_is_there" AFTER INSERT ON "api_keys"
  FOR EACH ROW EXECUTE FUNCTION "refuse_removed_workspace"();
CREATE OR REPLACE TRIGGER "zz_workspace_is_there" AFTER INSERT ON "agents"
  FOR EACH ROW EXECUTE FUNCTION "refuse_removed_workspace"();
CREATE OR REPLACE TRIGGER "zz_workspace_is_there" AFTER INSERT ON "webhook_endpoints"
  FOR EACH ROW EXECUTE FUNCTION "refuse_removed_workspace"();
CREATE OR REPLACE TRIGGER "zz_workspace_is_there" AFTER INSERT ON "invitations"
  FOR EACH ROW EXECUTE FUNCTION "refuse_removed_workspace"();

-- The audit log goes with its workspace alone: with its row, or once that is on its way.
CREATE OR REPLACE FUNCTION "refuse_audit_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.workspace_id IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM workspaces WHERE id = OLD.workspace_id)
        OR EXISTS (SELECT FROM removals WHERE (workspace_id, id) = (OLD.workspace_id, OLD.workspace_id))) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'The audit log is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;

-- These would have to be drained before the row that they refer to. No read shows what refers to nothing.
ALTER TABLE "deliveries" DROP CONSTRAINT IF EXISTS "deliveries_workspace_id_endpoint_id_fkey";
ALTER TABLE "conversations" DROP CONSTRAINT IF EXISTS "conversations_workspace_id_assignee_id_fkey";
ALTER TABLE "conversation_reads" DROP CONSTRAINT IF EXISTS "conversation_reads_workspace_id_member_id_fkey";
