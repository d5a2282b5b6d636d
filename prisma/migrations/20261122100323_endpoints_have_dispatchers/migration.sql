-- DropIndex
DROP INDEX "deliveries_endpoint_id_conversation_id_seq_idx";

-- DropIndex
DROP INDEX "deliveries_endpoint_id_due_seq_idx";

-- DropIndex
DROP INDEX "deliveries_finished_at_idx";

-- AlterTable
ALTER TABLE "deliveries" DROP COLUMN "lease";

-- AlterTable
ALTER TABLE "webhook_endpoints" ADD COLUMN     "breaker_opened_at" TIMESTAMPTZ(3),
ADD COLUMN     "breaker_probe_at" TIMESTAMPTZ(3),
ADD COLUMN     "breaker_probes" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "dispatcher_id" TEXT,
ADD COLUMN     "failing_warned_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "dispatchers" (
    "id" TEXT NOT NULL,
    "beat" BIGINT NOT NULL DEFAULT 0,
    "is_shedding" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "dispatchers_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "deliveries_first_attempts_idx" ON "deliveries"("endpoint_id", "lane", "seq") WHERE (due IS NOT NULL AND attempts = 0 AND NOT is_test);

-- CreateIndex
CREATE INDEX "deliveries_retries_idx" ON "deliveries"("endpoint_id", "lane", "due") WHERE (due IS NOT NULL AND attempts > 0 AND NOT is_test);

-- CreateIndex
CREATE INDEX "deliveries_conversations_idx" ON "deliveries"("endpoint_id", "conversation_id", "seq") WHERE (due IS NOT NULL AND NOT is_test);

-- CreateIndex
CREATE INDEX "webhook_endpoints_dispatcher_id_idx" ON "webhook_endpoints"("dispatcher_id") WHERE (dispatcher_id IS NOT NULL);

-- AddForeignKey
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_dispatcher_id_fkey" FOREIGN KEY ("dispatcher_id") REFERENCES "dispatchers"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- A breaker that is open has a probe to come.
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_breaker_check" CHECK ((breaker_opened_at IS NULL) = (breaker_probe_at IS NULL));
