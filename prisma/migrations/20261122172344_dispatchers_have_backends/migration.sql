-- AlterTable
ALTER TABLE "dispatchers" ADD COLUMN     "backend" INTEGER,
ADD COLUMN     "server_started_at" TIMESTAMPTZ(6);
