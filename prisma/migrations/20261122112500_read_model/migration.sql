-- DropForeignKey
ALTER TABLE "messages" DROP CONSTRAINT "messages_conversation_id_fkey";

-- DropIndex
DROP INDEX "conversations_workspace_id_created_at_idx";

-- AlterTable: messages that are there get their conversation's workspace.
ALTER TABLE "messages" ADD COLUMN     "workspace_id" TEXT;
UPDATE "messages" SET "workspace_id" = "conversations"."workspace_id"
  FROM "conversations" WHERE "conversations"."id" = "messages"."conversation_id";
ALTER TABLE "messages" ALTER COLUMN "workspace_id" SET NOT NULL;

-- CreateTable
CREATE TABLE "conversation_reads" (
    "workspace_id" TEXT NOT NULL,
    "member_id" TEXT NOT NULL,
    "conversation_id" TEXT NOT NULL,
    "last_read_sequence" INTEGER NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "conversation_reads_pkey" PRIMARY KEY ("member_id","conversation_id"),
    CONSTRAINT "conversation_reads_last_read_sequence_check" CHECK ("last_read_sequence" >= 0)
);

-- CreateIndex
CREATE INDEX "conversation_reads_conversation_id_idx" ON "conversation_reads"("conversation_id");

-- CreateIndex
CREATE INDEX "conversations_workspace_id_created_at_id_idx" ON "conversations"("workspace_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "conversations_workspace_id_status_assignee_id_idx" ON "conversations"("workspace_id", "status", "assignee_id");

-- CreateIndex
CREATE INDEX "deliveries_failed_idx" ON "deliveries"("endpoint_id", "created_at") WHERE (status = 'FAILED');

-- CreateIndex
CREATE INDEX "messages_bot_sender_idx" ON "messages"("sender_id", "created_at") WHERE (type = 'BOT');

-- Full text search. Prisma knows neither functions nor indexes on them.

-- Text as the parser of full text search should see it. ASCII punctuation separates words, so that parts of addresses,
-- numbers and paths are found. Characters of scripts that are written without spaces become words of their own: there a
-- search for several of them is a search for a phrase. In SQL-standard form, as the next one: what they call is found
-- when they are made, so a dump can be restored, which happens without a search path.
CREATE FUNCTION search_text(source text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN translate(
  CASE WHEN octet_length(source) = char_length(source) THEN source
       ELSE regexp_replace(
         normalize(source, NFKC),
         '([\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3040-\u30FF\u31F0-\u31FF\u3400-\u4DBF\u4E00-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\U00020000-\U0003FFFF])',
         ' \1 ', 'g')
  END,
  '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32));

-- The words of a text, and the workspace as one more: a search in one workspace never reads the others' rows.
-- STRICT around what is not keeps the planner from putting the body in its place, so that it knows the true cost and
-- does not compute the words of a whole table because they stand in an index for a word that is in many.
CREATE FUNCTION search_words(workspace_id text, source text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
RETURN to_tsvector('simple'::regconfig, search_text(source)) || array_to_tsvector(ARRAY[workspace_id]);

-- What finds all of the words, the last one as a beginning; null when none has a letter or digit. Text is never syntax:
-- phraseto_tsquery has none, and what is cast are lexemes that PostgreSQL itself has quoted.
CREATE FUNCTION search_query(workspace_id text, words text[]) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  part tsquery;
  whole tsquery;
BEGIN
  FOR i IN 1 .. cardinality(words) LOOP
    part := phraseto_tsquery('simple'::regconfig, search_text(words[i]));
    CONTINUE WHEN numnode(part) = 0;
    IF i = cardinality(words) THEN
      part := (part::text || ':*')::tsquery;
    END IF;
    whole := CASE WHEN whole IS NULL THEN part ELSE whole && part END;
  END LOOP;
  RETURN whole && quote_literal(workspace_id)::tsquery;
END
$$;

-- Without fastupdate, whose list of pending words is sorted in now and then by whoever happens to write: a fifth of a
-- millisecond for every message rather than none for most and half a second for one.
CREATE INDEX "messages_search_idx" ON "messages"
  USING gin (search_words("workspace_id", "body")) WITH (fastupdate = off);
CREATE INDEX "conversations_search_idx" ON "conversations"
  USING gin (search_words("workspace_id", "subject")) WITH (fastupdate = off);
CREATE INDEX "visitors_search_idx" ON "visitors"
  USING gin (search_words("workspace_id", COALESCE("name", '') || ' ' || COALESCE("email", ''))) WITH (fastupdate = off);

-- AddForeignKey
ALTER TABLE "messages" ADD CONSTRAINT "messages_workspace_id_conversation_id_fkey" FOREIGN KEY ("workspace_id", "conversation_id") REFERENCES "conversations"("workspace_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation_reads" ADD CONSTRAINT "conversation_reads_workspace_id_member_id_fkey" FOREIGN KEY ("workspace_id", "member_id") REFERENCES "members"("workspace_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation_reads" ADD CONSTRAINT "conversation_reads_workspace_id_conversation_id_fkey" FOREIGN KEY ("workspace_id", "conversation_id") REFERENCES "conversations"("workspace_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
