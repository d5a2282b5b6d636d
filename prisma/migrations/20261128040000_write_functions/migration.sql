-- What every message costs runs as one statement: functions, whose inner statements have plans that are kept and see what
-- was committed while they waited for a lock. A later version of one gets a new name: nodes of the version before still
-- call this one.

-- Stores an event and a delivery for every endpoint that subscribes to its type. The caller's transaction holds the locks
-- that give the event its place in the log. For an endpoint that is unregistered and kept, the delivery waits until it is
-- registered again. Endpoints are locked against deletion as they are read: one that another transaction deletes at this
-- moment is waited for and left out.
-- p_agent_id: the agent that caused the event, which may ignore its own. Returns the endpoints that have something to send.
CREATE FUNCTION record_event_1(
  p_event_id text, p_workspace_id text, p_type text, p_conversation_id text, p_body text, p_at timestamptz, p_agent_id text
) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  event_seq bigint;
  endpoint_ids text[];
BEGIN
  INSERT INTO events (id, workspace_id, type, conversation_id, body, created_at)
  VALUES (p_event_id, p_workspace_id, p_type, p_conversation_id, p_body, p_at)
  RETURNING seq INTO event_seq;

  IF p_type NOT IN ('message.created', 'conversation.created', 'conversation.closed', 'conversation.assigned') THEN
    RETURN '{}';
  END IF;

  WITH made AS (
    INSERT INTO deliveries
      (id, workspace_id, event_id, endpoint_id, conversation_id, seq, status, due, finished_at, created_at)
    SELECT 'dlv_' || substr(p_event_id, 5, 10) || left(md5(p_event_id || endpoint.id), 16),
           p_workspace_id, p_event_id, endpoint.id, p_conversation_id, event_seq,
           (CASE WHEN live.is_live THEN 'PENDING' ELSE 'SKIPPED' END)::"DeliveryStatus",
           CASE WHEN live.is_live THEN p_at END,
           CASE WHEN live.is_live THEN NULL ELSE p_at END,
           p_at
      FROM webhook_endpoints endpoint
      LEFT JOIN agents agent ON agent.id = endpoint.agent_id
     CROSS JOIN LATERAL (
       SELECT (endpoint.is_enabled OR endpoint.unregistered_at IS NOT NULL) AND COALESCE(agent.is_enabled, true) AS is_live) live
     WHERE endpoint.workspace_id = p_workspace_id
       AND CASE p_type
             WHEN 'message.created' THEN endpoint.on_message_created
             WHEN 'conversation.created' THEN endpoint.on_conversation_created
             WHEN 'conversation.closed' THEN endpoint.on_conversation_closed
             ELSE endpoint.on_conversation_assigned
           END
       AND (agent.id IS NULL OR NOT agent.ignore_own_events OR agent.id IS DISTINCT FROM p_agent_id)
       FOR KEY SHARE OF endpoint
    RETURNING endpoint_id, due)
  SELECT array_agg(endpoint_id) FILTER (WHERE due IS NOT NULL) INTO endpoint_ids FROM made;
  RETURN COALESCE(endpoint_ids, '{}');
END $$;

-- Adds a message to a conversation, with its event, the deliveries of that, and the reopening that a visitor's message
-- brings. It locks the workspace (shared: readers of the log see who writes to it) and then the conversation, before it has
-- a transaction id: conversations' transaction ids are in the order in which their changes commit.
-- p_is_locked: the caller holds these locks. p_visitor_id: sees the conversations of this visitor only; null: all.
-- p_sender_id: null for the conversation's visitor. p_is_reply: nothing is added where a person is assigned or the
-- conversation is closed. p_event_parts: the event's text; every second part is the name of a value that is not known
-- before: sequence, assigneeId, senderName. p_loop_*: the rule of the contract's section on replying.
-- outcome: added; repeated (message_id is the message with this client message id); not_found; assigned; closed;
-- loop (loop_most and loop_since say which rule was broken).
CREATE FUNCTION add_message_1(
  p_workspace_id text, p_workspace_locks int, p_workspace_lock int, p_conversation_id text, p_conversation_locks int,
  p_conversation_lock int, p_is_locked boolean, p_visitor_id text, p_message_id text, p_type "MessageType", p_body text, p_preview text, p_sender_id text,
  p_sender_name text, p_actor_id text, p_agent_id text, p_client_message_id text, p_is_reply boolean, p_at timestamptz,
  p_event_id text, p_event_type text, p_event_parts text[], p_reopened_id text, p_reopened_body text,
  p_loop_limit int, p_loop_window interval, p_loop_answered interval,
  OUT outcome text, OUT message_id text, OUT message_sequence int, OUT message_sender_id text, OUT message_sender_name text,
  OUT endpoint_ids text[], OUT loop_most int, OUT loop_since timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
  conversation record;
  event_values jsonb;
  event_body text := '';
  is_reopened boolean;
  is_public boolean := p_type IN ('VISITOR', 'AGENT', 'BOT');
BEGIN
  IF NOT p_is_locked THEN
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
      RAISE 'A transaction that records events must take their locks before it writes';
    END IF;
    PERFORM set_config('lock_timeout', '15s', true);
    PERFORM pg_advisory_xact_lock_shared(p_workspace_locks, p_workspace_lock);
    PERFORM pg_advisory_xact_lock(p_conversation_locks, p_conversation_lock);
  END IF;

  SELECT c.status, c.visitor_id,
         (SELECT m.id FROM members m WHERE m.id = c.assignee_id) AS assignee_id,
         (SELECT v.name FROM visitors v WHERE v.id = c.visitor_id) AS visitor_name
    INTO conversation
    FROM conversations c
   WHERE c.id = p_conversation_id AND c.workspace_id = p_workspace_id
     AND (p_visitor_id IS NULL OR c.visitor_id = p_visitor_id)
     FOR UPDATE;
  IF NOT FOUND THEN
    outcome := 'not_found';
    RETURN;
  END IF;

  IF p_is_reply AND conversation.assignee_id IS NOT NULL THEN
    outcome := 'assigned';
    RETURN;
  ELSIF p_is_reply AND conversation.status = 'CLOSED' THEN
    outcome := 'closed';
    RETURN;
  END IF;

  message_id := p_message_id;
  message_sender_id := COALESCE(p_sender_id, conversation.visitor_id);
  message_sender_name := COALESCE(p_sender_name, CASE WHEN p_sender_id IS NULL THEN conversation.visitor_name END);
  IF p_client_message_id IS NOT NULL THEN
    SELECT m.id INTO message_id FROM messages m
     WHERE m.conversation_id = p_conversation_id AND m.sender_id = message_sender_id
       AND m.client_message_id = p_client_message_id;
    IF FOUND THEN
      outcome := 'repeated';
      RETURN;
    END IF;
    message_id := p_message_id;
  END IF;

  IF p_type = 'BOT' THEN
    -- Reads along two indexes, and no further back than the BOT messages that it finds.
    WITH asked AS MATERIALIZED (
      SELECT m.sequence, m.created_at FROM messages m
       WHERE m.conversation_id = p_conversation_id AND m.type = 'VISITOR' ORDER BY m.sequence DESC LIMIT 1
    ), bots AS MATERIALIZED (
      SELECT m.sequence, m.created_at FROM messages m
       WHERE m.conversation_id = p_conversation_id AND m.type = 'BOT' AND m.created_at > p_at - p_loop_window
         AND m.sequence > COALESCE((SELECT asked.sequence FROM asked), 0)
    ), answerable AS (
      SELECT m.created_at FROM messages m
       WHERE m.conversation_id = p_conversation_id AND m.type = 'VISITOR' AND (SELECT count(*) FROM bots) >= p_loop_limit
       ORDER BY m.sequence DESC LIMIT (SELECT count(*) + 1 FROM bots)
    ), allowed AS MATERIALIZED (
      SELECT GREATEST(p_loop_limit, count(*)::int) AS most FROM answerable
       WHERE answerable.created_at > (SELECT asked.created_at FROM asked) - p_loop_answered
    )
    SELECT allowed.most, bots.created_at INTO loop_most, loop_since FROM bots, allowed
     ORDER BY bots.sequence DESC OFFSET (SELECT allowed.most - 1 FROM allowed) LIMIT 1;
    IF FOUND THEN
      outcome := 'loop';
      RETURN;
    END IF;
  END IF;

  is_reopened := p_type = 'VISITOR' AND conversation.status <> 'OPEN';
  UPDATE conversations c SET
    message_count = c.message_count + 1,
    updated_at = p_at,
    last_message_at = CASE WHEN is_public THEN p_at ELSE c.last_message_at END,
    last_message_preview = CASE WHEN is_public THEN p_preview ELSE c.last_message_preview END,
    last_activity_at = CASE WHEN is_public THEN p_at ELSE c.last_activity_at END,
    activity_xid = CASE WHEN is_public THEN pg_current_xact_id() ELSE c.activity_xid END,
    status = CASE WHEN is_reopened THEN 'OPEN'::"ConversationStatus" ELSE c.status END,
    closed_at = CASE WHEN is_reopened THEN NULL ELSE c.closed_at END,
    snoozed_until = CASE WHEN is_reopened THEN NULL ELSE c.snoozed_until END
  WHERE c.id = p_conversation_id
  RETURNING c.message_count INTO STRICT message_sequence;

  INSERT INTO messages
    (id, workspace_id, conversation_id, sequence, type, body, sender_id, sender_name, actor_id, client_message_id, created_at)
  VALUES (p_message_id, p_workspace_id, p_conversation_id, message_sequence, p_type, p_body, message_sender_id,
          message_sender_name, p_actor_id, p_client_message_id, p_at);

  event_values := jsonb_build_object(
    'sequence', message_sequence, 'assigneeId', conversation.assignee_id, 'senderName', message_sender_name);
  FOR n IN 1..cardinality(p_event_parts) LOOP
    -- A name that is not there makes the whole text null, which the table refuses.
    event_body := event_body || CASE n % 2 WHEN 1 THEN p_event_parts[n] ELSE (event_values -> p_event_parts[n])::text END;
  END LOOP;
  endpoint_ids := record_event_1(p_event_id, p_workspace_id, p_event_type, p_conversation_id, event_body, p_at, p_agent_id);
  IF is_reopened THEN
    PERFORM record_event_1(
      p_reopened_id, p_workspace_id, 'conversation.updated', p_conversation_id, p_reopened_body, p_at, p_agent_id);
  END IF;

  outcome := 'added';
END $$;
