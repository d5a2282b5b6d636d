import { ChangeRole, changeMemberRole, removeMember } from '../domain/workspaces.ts'
import { builder } from '../schema/builder.ts'
import { mutationErrors } from '../schema/errors.ts'
import { ChangeMemberRoleInput, Member, RemoveMemberInput } from '../schema/workspace.ts'
import { inputOf } from './input.ts'

const ChangeMemberRolePayload = builder.simpleObject('ChangeMemberRolePayload', {
  description: 'Whose role was changed.',
  fields: (t) => ({ member: t.field({ type: Member, description: 'The member as it is now.' }) }),
})

const RemoveMemberPayload = builder.simpleObject('RemoveMemberPayload', {
  description: 'Who was removed.',
  fields: (t) => ({ removedId: t.id({ description: "The member's id." }) }),
})

builder.mutationFields((t) => ({
  changeMemberRole: t.field({
    type: ChangeMemberRolePayload,
    errors: mutationErrors,
    description: 'Changes what a member may do. A workspace keeps at least one owner.',
    args: { input: t.arg({ type: ChangeMemberRoleInput, required: true, description: 'Who, and to what.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      member: await changeMemberRole(deps, actor(), inputOf(ChangeRole, input)),
    }),
  }),
  removeMember: t.field({
    type: RemoveMemberPayload,
    errors: mutationErrors,
    description: 'Removes a member. A workspace keeps at least one owner.',
    args: { input: t.arg({ type: RemoveMemberInput, required: true, description: 'Who.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      await removeMember(deps, actor(), input.memberId)
      return { removedId: input.memberId }
    },
  }),
}))
