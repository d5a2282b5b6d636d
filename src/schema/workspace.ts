import type { MadeAccess } from '../domain/identity/member-removal.ts'
import type { UserWithAccess } from '../domain/identity/users.ts'
import {
  CreateWorkspace,
  type MemberWithUser,
  WorkspaceColumns,
  WorkspacePatch,
} from '../domain/identity/workspaces.ts'
import { type Actor as ActorOf, refOf } from '../domain/shared/actor.ts'
import { visibleWorkspaces } from '../domain/shared/authorization.ts'
import { oldestFirst } from '../domain/shared/pagination.ts'
import type { Workspace as WorkspaceRow } from '../generated/prisma/client.ts'
import { Actor, resolvePresentActor } from './actor.ts'
import { builder } from './builder.ts'
import { connectionOf, pageArgs, pageRequest, toConnection } from './connection.ts'
import { ApiKeyPermission, MemberRole, Plan } from './enums.ts'
import { inputFields, outputFields } from './fields.ts'
import { readerOf } from './loaders.ts'
import { User } from './user.ts'

export const Member = builder.prismaNode('Member', {
  nullable: true,
  interfaces: [Actor],
  description: 'The membership of a person in a workspace.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  include: { user: { select: { id: true, name: true, email: true, emailVerifiedAt: true } } },
  fields: (t) => ({
    displayName: t.string({ description: 'The name of the person.', resolve: ({ user }) => user.name }),
    name: t.string({ description: 'The name of the person.', resolve: ({ user }) => user.name }),
    email: t.string({ description: 'The email address of the person.', resolve: ({ user }) => user.email }),
    isEmailVerified: t.boolean({
      description:
        'Whether the person has verified the email address, by a link that was sent to it. Until then, the account may belong to another person.',
      resolve: ({ user }) => user.emailVerifiedAt !== null,
    }),
    user: t.field({
      type: User,
      description: 'The person, who can be a member of other workspaces too.',
      resolve: ({ user }) => user,
    }),
    role: t.expose('role', { type: MemberRole, description: 'The role of the person in the workspace.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'The time when the person joined the workspace.',
    }),
  }),
})

const MemberConnection = connectionOf(Member, 'Member')

export const Workspace = builder.prismaNode('Workspace', {
  nullable: true,
  description: 'A tenant: a support team with its conversations, agents and webhooks.',
  id: { field: 'id' },
  // Like the list of workspaces: a person's own, and a scoped credential's one.
  findUnique: (id, context) => ({ id, AND: visibleWorkspaces(context.caller()) }),
  fields: (t) => ({
    ...outputFields(t, WorkspaceColumns.shape, { plan: Plan }),
    members: t.field({
      type: MemberConnection,
      description: 'The members of the workspace, oldest membership first. Null when the arguments are refused.',
      args: pageArgs(t.arg),
      resolve: async ({ id }, page, { loaders, budget }) =>
        toConnection(await oldestFirst(pageRequest(page, budget), readerOf(loaders.workspaceMembers, id))),
    }),
  }),
})

export const WorkspaceConnection = connectionOf(Workspace, 'Workspace')

/** What is not asked for is not read. */
interface ViewerShape {
  readonly actor: ActorOf
  member(): Promise<MemberWithUser | null>
  workspace(): Promise<WorkspaceRow>
  user(): Promise<UserWithAccess | null>
}

export const Viewer = builder.objectRef<ViewerShape>('Viewer').implement({
  description: 'The caller and the workspace of the request.',
  fields: (t) => ({
    actor: t.field({
      type: Actor,
      description:
        'The caller, as it acts in the workspace: the member of a session, an API key, or the agent of its key.',
      resolve: ({ actor }, _args, context, info) => resolvePresentActor(refOf(actor), context, info),
    }),
    member: t.field({
      type: Member,
      nullable: true,
      description: 'The member that the session or API key acts for. Null for the key of an agent.',
      resolve: (viewer) => viewer.member(),
    }),
    permission: t.field({
      type: ApiKeyPermission,
      description: 'The permission level of the caller in the workspace.',
      resolve: ({ actor }) => actor.permission,
    }),
    workspace: t.field({
      type: Workspace,
      description: 'The workspace of the request.',
      resolve: (viewer) => viewer.workspace(),
    }),
    user: t.field({
      type: User,
      nullable: true,
      description: 'The person behind the session or API key. Null for agents.',
      resolve: (viewer) => viewer.user(),
    }),
    role: t.field({
      type: MemberRole,
      nullable: true,
      description: 'The role of the person in the workspace. Null for agents.',
      resolve: ({ actor }) => actor.role,
    }),
  }),
})

export const ChangeMemberRoleInput = builder.inputType('ChangeMemberRoleInput', {
  description: 'Input of `changeMemberRole`.',
  fields: (t) => ({
    memberId: t.id({ required: true, description: 'The id of the member.' }),
    role: t.field({
      type: MemberRole,
      required: true,
      description: 'The new role. Only owners can make or change owners.',
    }),
  }),
})

export const RemoveMemberInput = builder.inputType('RemoveMemberInput', {
  description: 'Input of `removeMember`.',
  fields: (t) => ({
    memberId: t.id({ required: true, description: 'The id of the member.' }),
    endAccess: t.boolean({
      defaultValue: false,
      description:
        'Whether to also uninstall the agents, delete the webhook endpoints, and revoke the keys and invitations that the member created.',
    }),
  }),
})

/** How many of the objects are named; all are counted. */
const MAX_NAMED = 100

const namesOf = (made: readonly { readonly name: string }[]) => made.slice(0, MAX_NAMED).map(({ name }) => name)

export const MemberRemoval = builder.objectRef<MadeAccess>('MemberRemoval').implement({
  description:
    'The objects that a member created and that give access to the workspace. They keep working after the member is removed, unless they are removed with `endAccess`.',
  fields: (t) => ({
    agentNames: t.stringList({
      description: `The names of the agents that the member installed, oldest first, at most ${MAX_NAMED}.`,
      resolve: ({ agents }) => namesOf(agents),
    }),
    agentCount: t.int({
      description: 'The number of agents that the member installed.',
      resolve: ({ agents }) => agents.length,
    }),
    webhookUrls: t.stringList({
      description: `The URLs of the webhook endpoints that the member registered, except those of agents, oldest first, at most ${MAX_NAMED}.`,
      resolve: ({ webhookEndpoints }) => namesOf(webhookEndpoints),
    }),
    webhookEndpointCount: t.int({
      description: 'The number of webhook endpoints that the member registered, except those of agents.',
      resolve: ({ webhookEndpoints }) => webhookEndpoints.length,
    }),
    apiKeyNames: t.stringList({
      description: `The names of the API keys for this workspace that the member created, including those of agents that others installed, oldest first, at most ${MAX_NAMED}.`,
      resolve: ({ apiKeys }) => namesOf(apiKeys),
    }),
    apiKeyCount: t.int({
      description:
        'The number of API keys for this workspace that the member created, including those of agents that others installed.',
      resolve: ({ apiKeys }) => apiKeys.length,
    }),
    invitedEmails: t.stringList({
      description: `The email addresses of the pending invitations by the member, oldest first, at most ${MAX_NAMED}.`,
      resolve: ({ invitations }) => namesOf(invitations),
    }),
    invitationCount: t.int({
      description: 'The number of pending invitations by the member.',
      resolve: ({ invitations }) => invitations.length,
    }),
  }),
})

export const CreateWorkspaceInput = builder.inputType('CreateWorkspaceInput', {
  description: 'Input of `createWorkspace`.',
  fields: (t) => inputFields(t, CreateWorkspace.shape),
})

export const DeleteWorkspaceInput = builder.inputType('DeleteWorkspaceInput', {
  description: 'Input of `deleteWorkspace`.',
  fields: (t) => ({
    workspaceId: t.id({ required: true, description: 'The id of the workspace, which must be that of the request.' }),
  }),
})

export const UpdateWorkspaceInput = builder.inputType('UpdateWorkspaceInput', {
  description: 'Input of `updateWorkspace`. Fields that are left out do not change.',
  fields: (t) => inputFields(t, WorkspacePatch.shape),
})
