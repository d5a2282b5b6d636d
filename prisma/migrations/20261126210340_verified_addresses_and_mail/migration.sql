-- CreateEnum
CREATE TYPE "MailStatus" AS ENUM ('PENDING', 'SENT', 'FAILED');

-- AlterTable
ALTER TABLE "invitations" ADD COLUMN     "mail_status" "MailStatus";

-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "password_reset_until" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "users" DROP COLUMN "email_verified",
ADD COLUMN     "email_verified_at" TIMESTAMPTZ(3);

-- Whose address counts as verified from before: the first owner, whom the operator named, and whoever signed in while a
-- sign-in link of theirs was valid. The log did not say yet by what they signed in.
UPDATE "users" SET "email_verified_at" = "created_at"
 WHERE "id" = (SELECT "id" FROM "users" ORDER BY "created_at", "id" LIMIT 1);
UPDATE "users" SET "email_verified_at" = (
  SELECT min(signed_in."created_at")
    FROM "audit_entries" link
    JOIN "audit_entries" signed_in ON signed_in."user_id" = link."target_id" AND signed_in."action" = 'session.created'
     AND signed_in."created_at" BETWEEN link."created_at" AND link."created_at" + interval '24 hours'
     -- With a password, it may have been the password.
     AND NOT EXISTS (SELECT FROM "accounts" WHERE "accounts"."user_id" = "users"."id"
                       AND "accounts"."password" IS NOT NULL AND "accounts"."created_at" <= signed_in."created_at")
   WHERE link."action" = 'sign_in_link.created' AND link."target_id" = "users"."id")
 WHERE "email_verified_at" IS NULL;
