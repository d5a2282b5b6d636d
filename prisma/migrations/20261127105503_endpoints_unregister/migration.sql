-- DropIndex
DROP INDEX "webhook_endpoints_workspace_id_url_key";

-- AlterTable
ALTER TABLE "webhook_endpoints" ADD COLUMN     "kept_until" TIMESTAMPTZ(3),
ADD COLUMN     "reregistered_at" TIMESTAMPTZ(3),
ADD COLUMN     "sends_from_seq" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "unregistered_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "webhook_endpoints_workspace_id_kept_until_idx" ON "webhook_endpoints"("workspace_id", "kept_until") WHERE (kept_until IS NOT NULL);

-- CreateIndex
CREATE INDEX "webhook_endpoints_skipping_idx" ON "webhook_endpoints"("id") WHERE (sends_from_seq > 0);

-- CreateIndex
CREATE UNIQUE INDEX "webhook_endpoints_live_url_key" ON "webhook_endpoints"("workspace_id", "url") WHERE (unregistered_at IS NULL);

ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_kept_check"
    CHECK ((unregistered_at IS NULL) = (kept_until IS NULL) AND (unregistered_at IS NULL OR NOT is_enabled));
