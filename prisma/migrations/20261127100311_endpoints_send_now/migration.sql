-- AlterTable
ALTER TABLE "webhook_endpoints" ADD COLUMN     "is_probe_asked" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "is_recovering" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "probe_asked_at" TIMESTAMPTZ(3),
ADD COLUMN     "probe_delivery_id" TEXT;

-- CreateIndex
CREATE INDEX "webhook_endpoints_probes_idx" ON "webhook_endpoints"("id") WHERE (is_probe_asked OR is_recovering);
