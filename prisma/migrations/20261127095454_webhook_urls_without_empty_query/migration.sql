-- `https://example.com/hook?` and `https://example.com/hook` are one URL. A workspace that holds both keeps the endpoint
-- that works: an enabled one, an agent's before the workspace's own, the one with the latest success, the oldest.
-- What waits for the other, and its history, becomes the kept one's.

-- Whoever is recording deliveries is waited for, and nobody records more before this has ended.
SELECT id FROM webhook_endpoints
 WHERE (workspace_id, rtrim(url, '?')) IN (
   SELECT workspace_id, rtrim(url, '?') FROM webhook_endpoints WHERE strpos(url, '?') = length(url))
 ORDER BY id FOR UPDATE;

CREATE TEMPORARY TABLE merged_endpoints ON COMMIT DROP AS
SELECT gone.id, gone.workspace_id, gone.url, gone.is_enabled, kept.id AS kept_id
  FROM webhook_endpoints gone
 CROSS JOIN LATERAL (
   SELECT twin.id FROM webhook_endpoints twin
    WHERE twin.workspace_id = gone.workspace_id
      AND twin.url IN (rtrim(gone.url, '?'), rtrim(gone.url, '?') || '?')
    ORDER BY twin.is_enabled DESC, twin.agent_id IS NULL, twin.last_success_at DESC NULLS LAST, twin.created_at, twin.id
    LIMIT 1) kept
 WHERE (strpos(gone.url, '?') = 0 OR strpos(gone.url, '?') = length(gone.url)) AND kept.id <> gone.id;

-- Of an event that both have, the kept endpoint's delivery stays, unless it was not delivered and the other one was or may be.
DELETE FROM deliveries theirs
 USING merged_endpoints merged, deliveries ours
 WHERE theirs.endpoint_id = merged.kept_id AND theirs.status IN ('FAILED', 'SKIPPED')
   AND ours.endpoint_id = merged.id AND ours.event_id = theirs.event_id AND ours.status IN ('PENDING', 'DELIVERED');

UPDATE deliveries d SET endpoint_id = merged.kept_id
  FROM merged_endpoints merged
 WHERE d.endpoint_id = merged.id
   AND NOT EXISTS (SELECT 1 FROM deliveries kept WHERE kept.event_id = d.event_id AND kept.endpoint_id = merged.kept_id);

-- The receiver goes on getting what it got by either.
UPDATE webhook_endpoints kept
   SET on_message_created = kept.on_message_created OR gone.on_message_created,
       on_conversation_created = kept.on_conversation_created OR gone.on_conversation_created,
       on_conversation_closed = kept.on_conversation_closed OR gone.on_conversation_closed,
       on_conversation_assigned = kept.on_conversation_assigned OR gone.on_conversation_assigned
  FROM merged_endpoints merged JOIN webhook_endpoints gone ON gone.id = merged.id
 WHERE kept.id = merged.kept_id AND kept.is_enabled AND gone.is_enabled;

INSERT INTO audit_entries
  (id, workspace_id, actor_type, actor_id, actor_name, action, target_type, target_id, target_name, data, created_at)
SELECT 'aud_0' || left(md5(id), 25), workspace_id, 'system', 'system', 'GudDesk', 'webhook_endpoint.deleted',
       'webhook_endpoint', id, url, jsonb_build_object('mergedInto', kept_id), now()
  FROM merged_endpoints;

DELETE FROM webhook_endpoints WHERE id IN (SELECT id FROM merged_endpoints);

UPDATE webhook_endpoints SET url = rtrim(url, '?') WHERE strpos(url, '?') = length(url);
