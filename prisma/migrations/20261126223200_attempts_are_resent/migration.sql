-- AlterTable
ALTER TABLE "delivery_attempts" ADD COLUMN     "is_resent" BOOLEAN NOT NULL DEFAULT false;
