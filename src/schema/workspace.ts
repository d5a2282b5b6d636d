import type { MadeAccess } from '../domain/identity/member-removal.ts'
import type { UserWithAccess } from '../domain/identity/users.ts'
import type { Actor } from '../domain/shared/actor.ts'
import { visibleWorkspaces } from '../domain/shared/authorization.ts'
import type { Workspace as WorkspaceRow } from '../generated/prisma/client.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { ActorType, ApiKeyPermission, MemberRole, Plan } from './enums.ts'
import { User } from './user.ts'

export const Member = builder.prismaNode('Member', {
  nullable: true,
  description: 'A person in a workspace.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  include: { user: { select: { id: true, name: true, email: true, emailVerifiedAt: true } } },
  fields: (t) => ({
    name: t.string({ description: "The person's name.", resolve: ({ user }) => user.name }),
    email: t.string({ description: "The person's email address.", resolve: ({ user }) => user.email }),
    isEmailVerified: t.boolean({
      description: 'Whether they have used a link that was sent to their address; until then it may be somebody else.',
      resolve: ({ user }) => user.emailVerifiedAt !== null,
    }),
    role: t.expose('role', { type: MemberRole, description: 'What they may do here.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they joined.' }),
  }),
})

export const Workspace = builder.prismaNode('Workspace', {
  nullable: true,
  description: 'A support team with its conversations, agents and webhooks.',
  id: { field: 'id' },
  // Like the list of workspaces: a person's own, and a scoped credential's one.
  findUnique: (id, context) => ({ id, AND: visibleWorkspaces(context.caller()) }),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For people.' }),
    slug: t.exposeString('slug', { description: 'For URLs; unique.' }),
    plan: t.expose('plan', { type: Plan, description: 'What it may use: how many requests a minute, for example.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    members: t.relation('members', {
      description: 'Its people, longest here first.',
      query: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
    }),
  }),
})

const ActorRef = builder.objectRef<Actor>('Actor').implement({
  description: 'Who does something.',
  fields: (t) => ({
    type: t.expose('type', { type: ActorType, description: 'What kind.' }),
    id: t.exposeID('id', { description: "The agent's, API key's, member's or visitor's id." }),
    name: t.exposeString('name', { description: 'For people.' }),
    permission: t.expose('permission', { type: ApiKeyPermission, description: 'How much they may do here.' }),
  }),
})

export const WorkspaceConnection = connectionOf(Workspace, 'Workspace')

/** What is not asked for is not read. */
interface ViewerShape {
  readonly actor: Actor
  workspace(): Promise<WorkspaceRow>
  user(): Promise<UserWithAccess | null>
}

export const Viewer = builder.objectRef<ViewerShape>('Viewer').implement({
  description: 'Who is asking, and where.',
  fields: (t) => ({
    actor: t.field({ type: ActorRef, description: 'Who is asking.', resolve: ({ actor }) => actor }),
    workspace: t.field({ type: Workspace, description: 'Where.', resolve: (viewer) => viewer.workspace() }),
    user: t.field({
      type: User,
      nullable: true,
      description: 'The person; null for agents.',
      resolve: (viewer) => viewer.user(),
    }),
    role: t.field({
      type: MemberRole,
      nullable: true,
      description: "The person's role in the workspace; null for agents.",
      resolve: ({ actor }) => actor.role,
    }),
    isDevelopment: t.boolean({
      description: 'Whether this deployment is for development: there is an echo agent to try things out with.',
      resolve: (_viewer, _args, { deps }) => deps.echoAgentUrl !== undefined,
    }),
  }),
})

export const ChangeMemberRoleInput = builder.inputType('ChangeMemberRoleInput', {
  description: "A member's new role.",
  fields: (t) => ({
    memberId: t.id({ required: true, description: 'Which member.' }),
    role: t.field({ type: MemberRole, required: true, description: 'What they may do from now on.' }),
  }),
})

export const RemoveMemberInput = builder.inputType('RemoveMemberInput', {
  description: 'A member to remove. Their conversations become unassigned, their keys stop working here.',
  fields: (t) => ({
    memberId: t.id({ required: true, description: 'Which member.' }),
    endAccess: t.boolean({
      defaultValue: false,
      description:
        'Also ends what they made that would go on working: uninstalls their agents, removes their webhook endpoints, revokes their keys and invitations.',
    }),
  }),
})

export const MemberRemoval = builder.objectRef<MadeAccess>('MemberRemoval').implement({
  description:
    'What a member made that gives access to the workspace. It goes on working after they have left, unless it is ended with their removal.',
  fields: (t) => ({
    agentNames: t.stringList({
      description: 'Of the agents that they installed.',
      resolve: ({ agents }) => agents.map(({ name }) => name),
    }),
    webhookUrls: t.stringList({
      description: 'Of the webhook endpoints that they registered, agents aside.',
      resolve: ({ webhookEndpoints }) => webhookEndpoints.map(({ name }) => name),
    }),
    apiKeyNames: t.stringList({
      description: 'Of the keys for this workspace that they made, those of other agents included.',
      resolve: ({ apiKeys }) => apiKeys.map(({ name }) => name),
    }),
    invitedEmails: t.stringList({
      description: 'Of the people whom they invited and who have not come yet.',
      resolve: ({ invitations }) => invitations.map(({ name }) => name),
    }),
  }),
})

export const CreateWorkspaceInput = builder.inputType('CreateWorkspaceInput', {
  description: 'A new workspace.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'For people: 2 to 100 characters.' }),
    slug: t.string({ required: true, description: 'For URLs: a-z, 0-9 and -; nobody else may have it.' }),
  }),
})

export const UpdateWorkspaceInput = builder.inputType('UpdateWorkspaceInput', {
  description: 'What to change of the workspace; what is left out stays.',
  fields: (t) => ({
    name: t.string({ description: 'For people: 2 to 100 characters.' }),
    slug: t.string({ description: 'For URLs: a-z, 0-9 and -; nobody else may have it.' }),
  }),
})
