import { memberRemoval } from '../domain/identity/member-removal.ts'
import { ChangeRole, changeMemberRole, removeMember } from '../domain/identity/workspaces.ts'
import { builder } from '../schema/builder.ts'
import { MutationPayload } from '../schema/errors.ts'
import { ChangeMemberRoleInput, Member, MemberRemoval, RemoveMemberInput } from '../schema/workspace.ts'
import { inputOf } from './input.ts'

const ChangeMemberRolePayload = builder.simpleObject('ChangeMemberRolePayload', {
  interfaces: [MutationPayload],
  description: 'The result of `changeMemberRole`.',
  fields: (t) => ({
    member: t.field({
      type: Member,
      description: 'The member in its current state.',
    }),
  }),
})

const RemoveMemberPayload = builder.simpleObject('RemoveMemberPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `removeMember`.',
  fields: (t) => ({
    deletedId: t.id({
      description: 'The id of the removed member.',
    }),
    removal: t.field({
      type: MemberRemoval,
      description:
        'The objects that the member created. They were removed with `endAccess`, and keep working without it.',
    }),
  }),
})

builder.mutationFields((t) => ({
  changeMemberRole: t.field({
    type: ChangeMemberRolePayload,
    description: 'Changes the role of a member. A workspace keeps at least one owner. Requires FULL_ACCESS.',
    args: {
      input: t.arg({ type: ChangeMemberRoleInput, required: true, description: 'The member and the new role.' }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({
      member: await changeMemberRole(deps, actor(), inputOf(ChangeRole, input)),
    }),
  }),
  removeMember: t.field({
    type: RemoveMemberPayload,
    description:
      'Removes a member from the workspace. Their conversations are unassigned, and their API keys stop working in the workspace. A workspace keeps at least one owner.',
    args: { input: t.arg({ type: RemoveMemberInput, required: true, description: 'The member to remove.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      const { memberId, endAccess } = input
      const removal = await removeMember(deps, actor(), memberId, { endAccess: endAccess ?? false })
      return { deletedId: memberId, removal }
    },
  }),
}))

builder.queryField('memberRemoval', (t) =>
  t.field({
    type: MemberRemoval,
    description: 'The objects that a member created and that keep working after the member is removed.',
    args: { id: t.arg.id({ required: true, description: 'The id of the member.' }) },
    resolve: (_root, { id }, { deps, actor }) => memberRemoval(deps, actor(), id),
  }),
)
