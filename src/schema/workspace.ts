import type { Actor } from '../domain/actor.ts'
import type { Workspace as WorkspaceRow } from '../generated/prisma/client.ts'
import { builder } from './builder.ts'
import { ActorType, ApiKeyPermission, MemberRole } from './enums.ts'

export const Member = builder.prismaNode('Member', {
  nullable: true,
  description: 'A person in a workspace.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  include: { user: true },
  fields: (t) => ({
    name: t.string({ description: "The person's name.", resolve: ({ user }) => user.name }),
    email: t.string({ description: "The person's email address.", resolve: ({ user }) => user.email }),
    role: t.expose('role', { type: MemberRole, description: 'What they may do here.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they joined.' }),
  }),
})

export const Workspace = builder.prismaNode('Workspace', {
  nullable: true,
  description: 'A support team with its conversations, agents and webhooks.',
  id: { field: 'id' },
  findUnique: (id, context) => (context.actor().workspaceId === id ? { id } : { id: '' }),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For people.' }),
    slug: t.exposeString('slug', { description: 'For URLs; unique.' }),
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

export const Viewer = builder.objectRef<{ actor: Actor; workspace: WorkspaceRow }>('Viewer').implement({
  description: 'Who is asking, and where.',
  fields: (t) => ({
    actor: t.field({ type: ActorRef, description: 'Who is asking.', resolve: ({ actor }) => actor }),
    workspace: t.field({ type: Workspace, description: 'Where.', resolve: ({ workspace }) => workspace }),
  }),
})

export const AddMemberInput = builder.inputType('AddMemberInput', {
  description: 'A person to add.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'Who it is; somebody new is made a user.' }),
    name: t.string({ description: 'For somebody new; the email address when left out.' }),
    role: t.field({ type: MemberRole, required: true, description: 'What they may do here.' }),
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
  fields: (t) => ({ memberId: t.id({ required: true, description: 'Which member.' }) }),
})
