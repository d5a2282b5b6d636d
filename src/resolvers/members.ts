import { memberRemoval } from '../domain/identity/member-removal.ts'
import { ChangeRole, changeMemberRole, removeMember } from '../domain/identity/workspaces.ts'
import { builder } from '../schema/builder.ts'
import { MutationPayload } from '../schema/errors.ts'
import { ChangeMemberRoleInput, Member, MemberRemoval, RemoveMemberInput } from '../schema/workspace.ts'
import { inputOf } from './input.ts'

const ChangeMemberRolePayload = builder.simpleObject('ChangeMemberRolePayload', {
  interfaces: [MutationPayload],
  description: 'Whose role was changed.',
  fields: (t) => ({ member: t.field({ nullable: true, type: Member, description: 'The member as it is now.' }) }),
})

const RemoveMemberPayload = builder.simpleObject('RemoveMemberPayload', {
  interfaces: [MutationPayload],
  description: 'Who was removed.',
  fields: (t) => ({
    deletedId: t.id({ nullable: true, description: "The member's id." }),
    removal: t.field({
      nullable: true,
      type: MemberRemoval,
      description: 'What they made: ended with endAccess, else still working.',
    }),
  }),
})

builder.mutationFields((t) => ({
  changeMemberRole: t.field({
    type: ChangeMemberRolePayload,
    nullable: true,
    description: 'Changes what a member may do. A workspace keeps at least one owner.',
    args: { input: t.arg({ type: ChangeMemberRoleInput, required: true, description: 'Who, and to what.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      member: await changeMemberRole(deps, actor(), inputOf(ChangeRole, input)),
    }),
  }),
  removeMember: t.field({
    type: RemoveMemberPayload,
    nullable: true,
    description: 'Removes a member. A workspace keeps at least one owner.',
    args: { input: t.arg({ type: RemoveMemberInput, required: true, description: 'Who.' }) },
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
    description: 'What a member made that would go on working after their removal.',
    args: { id: t.arg.id({ required: true, description: 'Which member.' }) },
    resolve: (_root, { id }, { deps, actor }) => memberRemoval(deps, actor(), id),
  }),
)
