-- CreateEnum
CREATE TYPE "EndpointOrdering" AS ENUM ('RELAXED', 'STRICT');

-- DropIndex
DROP INDEX "api_keys_agent_id_key";

-- DropIndex
DROP INDEX "api_keys_workspace_id_agent_id_key";

-- AlterTable
ALTER TABLE "agents" ADD COLUMN     "ignore_own_events" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "deliveries" ADD COLUMN     "is_test" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "lane" SMALLINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "events" ADD COLUMN     "is_test" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "webhook_endpoints" ADD COLUMN     "max_in_flight" SMALLINT NOT NULL DEFAULT 10,
ADD COLUMN     "ordering" "EndpointOrdering" NOT NULL DEFAULT 'RELAXED',
ADD COLUMN     "previous_sealed_secret" TEXT,
ADD COLUMN     "secret_overlap_ends_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "api_keys_workspace_id_agent_id_idx" ON "api_keys"("workspace_id", "agent_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_current_of_agent_key" ON "api_keys"("agent_id") WHERE (expires_at IS NULL AND revoked_at IS NULL);

-- CreateIndex
CREATE INDEX "deliveries_replayable_idx" ON "deliveries"("endpoint_id", "created_at", "id") WHERE (due IS NULL AND status <> 'DELIVERED');

-- CreateIndex
CREATE INDEX "deliveries_due_tests_idx" ON "deliveries"("due") WHERE (is_test AND due IS NOT NULL);


ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_max_in_flight_check" CHECK (max_in_flight BETWEEN 1 AND 100);
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_rotation_check" CHECK ((previous_sealed_secret IS NULL) = (secret_overlap_ends_at IS NULL));
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_lane_check" CHECK (lane IN (0, 1));
