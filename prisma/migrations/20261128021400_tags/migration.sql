-- How many conversations have each tag: at 500,000 conversations, counting them takes longer than somebody waits who types.
CREATE TABLE "tags" (
    "workspace_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "conversation_count" INTEGER NOT NULL,

    CONSTRAINT "tags_pkey" PRIMARY KEY ("workspace_id","name"),
    CONSTRAINT "tags_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- The order of the alphabet, the same in every database. Prisma knows no indexes on expressions.
CREATE INDEX "tags_by_name_idx" ON "tags"("workspace_id", lower("name") COLLATE "C", "name" COLLATE "C");
