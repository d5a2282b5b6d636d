-- guddesk: no transaction
-- Which conversations an agent sent a message in.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "messages_agent_sender_idx" ON "messages"("sender_id", "conversation_id") WHERE (type <> 'VISITOR');
