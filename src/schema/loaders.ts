import DataLoader from 'dataloader'
import { agentsById } from '../domain/agents/agents.ts'
import type { ConversationSortKey } from '../domain/conversations/conversation-order.ts'
import { type ConversationWithPeople, conversationsById } from '../domain/conversations/conversations.ts'
import {
  conversationsOfAgents,
  conversationsOfVisitors,
  countConversationsOfAgents,
  countConversationsOfVisitors,
  type OwnedConversationRange,
} from '../domain/conversations/list-conversations.ts'
import { type ReadState, readStates } from '../domain/conversations/read-states.ts'
import { apiKeysOfAgents, countApiKeysOfAgents } from '../domain/credentials/agent-api-keys.ts'
import { type AgentInstaller, installersOf } from '../domain/credentials/agent-installers.ts'
import { type AuditTargetRow, auditTargetsById } from '../domain/deliveries/audit-targets.ts'
import { type LastAttempt, lastAttempts } from '../domain/deliveries/deliveries.ts'
import {
  countDeliveriesOf,
  type DeliveryOwner,
  deliveriesOf,
  type FoundDelivery,
} from '../domain/deliveries/deliveries-of.ts'
import {
  type AgentActivity,
  activityOfAgents,
  type EndpointHealth,
  healthOfEndpoints,
} from '../domain/deliveries/webhook-health.ts'
import type { FoundEvent, LogCursorKey, LoggedEvent } from '../domain/events/event-position.ts'
import { countEventsOfConversations, eventsById, eventsOfConversations } from '../domain/events/read-events.ts'
import { type ActorRow, actorsById } from '../domain/identity/actors.ts'
import { invitationsById } from '../domain/identity/invitations.ts'
import { countMembers, type MemberWithPerson, membersOf } from '../domain/identity/list-members.ts'
import { sessionsById, type VisibleSession } from '../domain/identity/sessions.ts'
import { membersOfUsers } from '../domain/identity/users.ts'
import { type MemberWithUser, membersById } from '../domain/identity/workspaces.ts'
import { articleBodies } from '../domain/knowledge-base/articles.ts'
import {
  articlesOfCollections,
  type CollectedArticle,
  type CollectedRange,
  countArticlesOfCollections,
} from '../domain/knowledge-base/collection-articles.ts'
import { type FoundMessage, type MessageRange, messagesById, messagesOf } from '../domain/messages/list-messages.ts'
import type { Actor, Caller } from '../domain/shared/actor.ts'
import type { Deps } from '../domain/shared/deps.ts'
import type { OwnedRange } from '../domain/shared/page-sql.ts'
import type { CursorRange, PrismaRange } from '../domain/shared/pagination.ts'
import { picturePaths } from '../domain/visitors/pictures.ts'
import { visitorsById } from '../domain/visitors/visitors.ts'
import { countEndpointsOfAgents, endpointsById, endpointsOfAgents } from '../domain/webhooks/webhook-endpoints.ts'
import type { Agent, ApiKey, Invitation, Message, Visitor, WebhookEndpoint } from '../generated/prisma/client.ts'

/** What fields of many objects ask for one by one, asked of the database once. Nothing is kept: subscriptions live long. */
export interface Loaders {
  /** Visitors, members, users, agents and API keys. */
  readonly actors: ById<ActorRow>
  /** Workspaces, webhook endpoints and deliveries. */
  readonly auditTargets: ById<AuditTargetRow>
  readonly conversations: ById<ConversationWithPeople>
  readonly visitors: ById<Visitor>
  readonly membersById: ById<MemberWithUser>
  readonly messagesById: ById<Message>
  readonly webhookEndpoints: ById<WebhookEndpoint>
  readonly events: ById<LoggedEvent>
  readonly conversationEvents: OwnedList<CursorRange<LogCursorKey>, FoundEvent>
  readonly lastAttempts: ById<LastAttempt>
  readonly endpointHealth: ById<EndpointHealth>
  readonly agentActivity: ById<AgentActivity>
  /** By the agent's id. */
  readonly agentInstallers: ById<AgentInstaller>
  readonly agentEndpoints: OwnedList<PrismaRange<'createdAt'>, WebhookEndpoint>
  readonly workspaceMembers: OwnedList<PrismaRange<'createdAt'>, MemberWithPerson>
  readonly messages: ByRange<MessageRange, FoundMessage>
  /** The paths of fetched pictures, by the URLs that they came from. */
  readonly pictures: ById<string>
  readonly readStates: ById<ReadState>
  readonly visitorConversations: OwnedList<OwnedConversationRange, ConversationSortKey>
  readonly agentConversations: OwnedList<OwnedConversationRange, ConversationSortKey>
  readonly agentApiKeys: OwnedList<OwnedRange, ApiKey>
  readonly collectionArticles: OwnedList<CollectedRange, CollectedArticle>
  readonly deliveries: Readonly<Record<DeliveryOwner, OwnedList<OwnedRange, FoundDelivery>>>
  readonly agents: ById<Agent>
  /** The member that a person is in the workspace, by the user's id. */
  readonly members: ById<MemberWithUser>
  readonly sessions: ById<VisibleSession>
  readonly invitations: ById<Invitation>
  /** By the article's id. */
  readonly articleBodies: DataLoader<string, string>
}

/** @param actor who is asking, and @param caller with which credential; only called when something is loaded */
export function createLoaders(deps: Deps, actor: () => Actor, caller: () => Caller): Loaders {
  const deliveries = (owner: DeliveryOwner) =>
    ownedList(
      (ids, range: OwnedRange) => deliveriesOf(deps, actor(), owner, ids, range),
      (ids) => countDeliveriesOf(deps, actor(), owner, ids),
    )
  return {
    actors: byId((ids) => actorsById(deps, actor(), caller(), ids)),
    auditTargets: byId((ids) => auditTargetsById(deps, actor(), ids)),
    conversations: byId((ids) => conversationsById(deps, actor(), ids)),
    visitors: byId((ids) => visitorsById(deps, actor(), ids)),
    membersById: byId((ids) => membersById(deps, actor(), ids)),
    messagesById: byId((ids) => messagesById(deps, actor(), ids)),
    webhookEndpoints: byId((ids) => endpointsById(deps, actor(), ids)),
    events: byId((ids) => eventsById(deps, actor(), ids)),
    conversationEvents: ownedList(
      (ids, range) => eventsOfConversations(deps, actor(), ids, range),
      (ids) => countEventsOfConversations(deps, actor(), ids),
    ),
    lastAttempts: byId((ids) => lastAttempts(deps, ids)),
    endpointHealth: byId((ids) => healthOfEndpoints(deps, actor(), ids)),
    agentActivity: byId((ids) => activityOfAgents(deps, actor(), ids)),
    agentInstallers: byId((ids) => installersOf(deps, actor(), ids)),
    agentEndpoints: ownedList(
      (ids, range) => endpointsOfAgents(deps, actor(), ids, range),
      (ids) => countEndpointsOfAgents(deps, actor(), ids),
    ),
    workspaceMembers: ownedList(
      (ids, range) => membersOf(deps, ids, range),
      (ids) => countMembers(deps, ids),
    ),
    messages: byRange((ids, range) => messagesOf(deps, ids, range)),
    pictures: byId((urls) => picturePaths(deps, actor(), urls)),
    readStates: byId((ids) => readStates(deps, actor(), ids)),
    visitorConversations: ownedList(
      (ids, range) => conversationsOfVisitors(deps, actor(), ids, range),
      (ids) => countConversationsOfVisitors(deps, actor(), ids),
    ),
    agentConversations: ownedList(
      (ids, range) => conversationsOfAgents(deps, actor(), ids, range),
      (ids) => countConversationsOfAgents(deps, actor(), ids),
    ),
    agentApiKeys: ownedList(
      (ids, range) => apiKeysOfAgents(deps, actor(), ids, range),
      (ids) => countApiKeysOfAgents(deps, actor(), ids),
    ),
    collectionArticles: ownedList(
      (ids, range) => articlesOfCollections(deps, actor(), ids, range),
      (ids) => countArticlesOfCollections(deps, actor(), ids),
    ),
    deliveries: {
      conversation: deliveries('conversation'),
      event: deliveries('event'),
      endpoint: deliveries('endpoint'),
    },
    agents: byId((ids) => agentsById(deps, actor(), ids)),
    members: byId((ids) => membersOfUsers(deps, actor(), ids)),
    sessions: byId((ids) => sessionsById(deps, caller(), ids)),
    invitations: byId((ids) => invitationsById(deps, actor(), ids)),
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

/** The lists of many owners: their rows by range, and how many they have, by the owner's id. */
export interface OwnedList<Range, Row> {
  readonly rows: ByRange<Range, Row>
  readonly counts: ById<number>
}

function ownedList<Range, Row>(
  load: (ownerIds: string[], range: Range) => Promise<Map<string, Row[]>>,
  count: (ownerIds: string[]) => Promise<Map<string, number>>,
): OwnedList<Range, Row> {
  return { rows: byRange(load), counts: byId(count) }
}

/** Reads the list of one owner, together with those of others that are asked for in the same moment. */
export function readerOf<Range, Row>({ rows, counts }: OwnedList<Range, Row>, ownerId: string) {
  return {
    find: (range: Range) => rows.load([ownerId, range]),
    count: async () => (await counts.load(ownerId)) ?? 0,
  }
}
