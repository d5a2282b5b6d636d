-- AlterTable
ALTER TABLE "workspaces" ADD COLUMN     "log_kept_after_seq" BIGINT,
ADD COLUMN     "log_kept_after_xid" xid8;
