-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "actor_id" TEXT;
