-- CreateTable
CREATE TABLE "pictures" (
    "workspace_id" TEXT NOT NULL,
    "url_hash" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "named_at" TIMESTAMPTZ(3) NOT NULL,
    "tries" SMALLINT NOT NULL DEFAULT 0,
    "next_try_at" TIMESTAMPTZ(3),
    "failure" TEXT,
    "content_type" TEXT,
    "bytes" BYTEA,
    "fetched_at" TIMESTAMPTZ(3),

    CONSTRAINT "pictures_pkey" PRIMARY KEY ("workspace_id","url_hash")
);

-- CreateIndex
CREATE INDEX "pictures_next_try_at_idx" ON "pictures"("next_try_at") WHERE (next_try_at IS NOT NULL);

-- CreateIndex
CREATE INDEX "visitors_avatar_url_idx" ON "visitors" USING HASH ("avatar_url");

-- AddForeignKey
ALTER TABLE "pictures" ADD CONSTRAINT "pictures_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "pictures"
  ADD CONSTRAINT "pictures_content_type_check"
    CHECK ("content_type" IN ('image/png', 'image/jpeg', 'image/gif', 'image/webp')),
  ADD CONSTRAINT "pictures_fetched_check"
    CHECK (num_nulls("content_type", "bytes", "fetched_at") IN (0, 3)),
  ADD CONSTRAINT "pictures_bytes_check" CHECK (octet_length("bytes") <= 1048576);

-- What is named already is fetched, too.
INSERT INTO "pictures" ("workspace_id", "url_hash", "url", "named_at", "next_try_at")
SELECT "workspace_id", encode(sha256(convert_to("url", 'UTF8')), 'hex'), "url", now(), now()
  FROM (SELECT "workspace_id", "avatar_url" AS "url" FROM "visitors"
        UNION SELECT "workspace_id", "icon_url" FROM "agents") AS "named"
 WHERE "url" IS NOT NULL;
