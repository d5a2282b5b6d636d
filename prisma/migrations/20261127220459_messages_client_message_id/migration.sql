-- guddesk: no transaction
-- No statement keeps writers waiting for a walk through the table.
ALTER TABLE "messages" ADD COLUMN IF NOT EXISTS "client_message_id" TEXT;

ALTER TABLE "messages" DROP CONSTRAINT IF EXISTS "messages_client_message_id_check";
ALTER TABLE "messages" ADD CONSTRAINT "messages_client_message_id_check"
  CHECK (char_length(client_message_id) BETWEEN 1 AND 100) NOT VALID;
ALTER TABLE "messages" VALIDATE CONSTRAINT "messages_client_message_id_check";

CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "messages_client_message_id_key" ON "messages"("conversation_id", "sender_id", "client_message_id") WHERE (client_message_id IS NOT NULL);
