import DataLoader from 'dataloader'
import type { ConversationSortKey } from '../domain/conversations/conversation-order.ts'
import { type ConversationWithPeople, conversationsById } from '../domain/conversations/conversations.ts'
import {
  conversationsOfVisitors,
  countConversationsOfVisitors,
  type VisitorConversationRange,
} from '../domain/conversations/list-conversations.ts'
import { type ReadState, readStates } from '../domain/conversations/read-states.ts'
import { type AgentInstaller, installersOf } from '../domain/credentials/agent-installers.ts'
import { type AuditTargetRow, auditTargetsById } from '../domain/deliveries/audit-targets.ts'
import { type LastAttempt, lastAttempts } from '../domain/deliveries/deliveries.ts'
import {
  type AgentActivity,
  activityOfAgents,
  type EndpointHealth,
  healthOfEndpoints,
} from '../domain/deliveries/webhook-health.ts'
import type { FoundEvent, LogCursorKey, LoggedEvent } from '../domain/events/event-position.ts'
import { countEventsOfConversations, eventsById, eventsOfConversations } from '../domain/events/read-events.ts'
import { type ActorRow, actorsById } from '../domain/identity/actors.ts'
import { articleBodies } from '../domain/knowledge-base/articles.ts'
import { type FoundMessage, type MessageRange, messagesOf } from '../domain/messages/list-messages.ts'
import type { Actor, Caller } from '../domain/shared/actor.ts'
import type { Deps } from '../domain/shared/deps.ts'
import type { CursorRange } from '../domain/shared/pagination.ts'
import { picturePaths } from '../domain/visitors/pictures.ts'
import { visitorsById } from '../domain/visitors/visitors.ts'
import type { Visitor } from '../generated/prisma/client.ts'

/** What fields of many objects ask for one by one, asked of the database once. Nothing is kept: subscriptions live long. */
export interface Loaders {
  /** Visitors, members, users, agents and API keys. */
  readonly actors: ById<ActorRow>
  /** Workspaces, webhook endpoints and deliveries. */
  readonly auditTargets: ById<AuditTargetRow>
  readonly conversations: ById<ConversationWithPeople>
  readonly visitors: ById<Visitor>
  readonly events: ById<LoggedEvent>
  readonly conversationEvents: ByRange<CursorRange<LogCursorKey>, FoundEvent>
  readonly conversationEventCounts: ById<number>
  readonly lastAttempts: ById<LastAttempt>
  readonly endpointHealth: ById<EndpointHealth>
  readonly agentActivity: ById<AgentActivity>
  /** By the agent's id. */
  readonly agentInstallers: ById<AgentInstaller>
  readonly messages: ByRange<MessageRange, FoundMessage>
  /** The paths of fetched pictures, by the URLs that they came from. */
  readonly pictures: ById<string>
  readonly readStates: ById<ReadState>
  readonly visitorConversations: ByRange<VisitorConversationRange, ConversationSortKey>
  readonly visitorConversationCounts: ById<number>
  /** By the article's id. */
  readonly articleBodies: DataLoader<string, string>
}

/** @param actor who is asking, and @param caller with which credential; only called when something is loaded */
export function createLoaders(deps: Deps, actor: () => Actor, caller: () => Caller): Loaders {
  return {
    actors: byId((ids) => actorsById(deps, actor(), caller(), ids)),
    auditTargets: byId((ids) => auditTargetsById(deps, actor(), ids)),
    conversations: byId((ids) => conversationsById(deps, actor(), ids)),
    visitors: byId((ids) => visitorsById(deps, actor(), ids)),
    events: byId((ids) => eventsById(deps, actor(), ids)),
    conversationEvents: byRange((ids, range) => eventsOfConversations(deps, actor(), ids, range)),
    conversationEventCounts: byId((ids) => countEventsOfConversations(deps, actor(), ids)),
    lastAttempts: byId((ids) => lastAttempts(deps, ids)),
    endpointHealth: byId((ids) => healthOfEndpoints(deps, actor(), ids)),
    agentActivity: byId((ids) => activityOfAgents(deps, actor(), ids)),
    agentInstallers: byId((ids) => installersOf(deps, actor(), ids)),
    messages: byRange((ids, range) => messagesOf(deps, ids, range)),
    pictures: byId((urls) => picturePaths(deps, actor(), urls)),
    readStates: byId((ids) => readStates(deps, actor(), ids)),
    visitorConversations: byRange((ids, range) => conversationsOfVisitors(deps, actor(), ids, range)),
    visitorConversationCounts: byId((ids) => countConversationsOfVisitors(deps, actor(), ids)),
    articleBodies: new DataLoader((ids) => articleBodies(deps, ids), { cache: false }),
  }
}

/** By id; null when there is none, or none that the actor may see. */
export type ById<Row> = DataLoader<string, Row | null>

function byId<Row>(load: (ids: string[]) => Promise<Map<string, Row>>): ById<Row> {
  return new DataLoader(
    async (ids) => {
      const found = await load([...new Set(ids)])
      return ids.map((id) => found.get(id) ?? null)
    },
    { cache: false },
  )
}

/** Those of the ids that there are. */
export async function loadMany<Row>(loader: ById<Row>, ids: readonly string[]): Promise<Map<string, Row>> {
  const rows = await Promise.all(ids.map(async (id) => [id, await loader.load(id)] as const))
  return new Map(rows.flatMap(([id, row]) => (row === null ? [] : [[id, row]])))
}

/** Parts of lists by the id of whose list it is: one statement for each distinct range, so one per field of a query. */
export type ByRange<Range, Row> = DataLoader<readonly [ownerId: string, range: Range], Row[]>

function byRange<Range, Row>(
  load: (ownerIds: string[], range: Range) => Promise<Map<string, Row[]>>,
): ByRange<Range, Row> {
  return new DataLoader<readonly [string, Range], Row[]>(
    async (keys) => {
      const found = new Map<string, Promise<Map<string, Row[]>>>()
      for (const [text, [first, ...rest]] of Map.groupBy(keys, ([, range]) => JSON.stringify(range))) {
        if (first !== undefined) found.set(text, load([...new Set([first, ...rest].map(([id]) => id))], first[1]))
      }
      return Promise.all(keys.map(async ([id, range]) => (await found.get(JSON.stringify(range)))?.get(id) ?? []))
    },
    { cache: false },
  )
}
