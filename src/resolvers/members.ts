import { AddMember, addMember, ChangeRole, changeMemberRole, removeMember } from '../domain/workspaces.ts'
import { builder } from '../schema/builder.ts'
import { mutationErrors } from '../schema/errors.ts'
import { AddMemberInput, ChangeMemberRoleInput, Member, RemoveMemberInput } from '../schema/workspace.ts'
import { given, inputOf } from './input.ts'

const AddMemberPayload = builder.simpleObject('AddMemberPayload', {
  description: 'Who was added.',
  fields: (t) => ({ member: t.field({ type: Member, description: 'The new member.' }) }),
})

const ChangeMemberRolePayload = builder.simpleObject('ChangeMemberRolePayload', {
  description: 'Whose role was changed.',
  fields: (t) => ({ member: t.field({ type: Member, description: 'The member as it is now.' }) }),
})

const RemoveMemberPayload = builder.simpleObject('RemoveMemberPayload', {
  description: 'Who was removed.',
  fields: (t) => ({ removedId: t.id({ description: "The member's id." }) }),
})

builder.mutationFields((t) => ({
  addMember: t.field({
    type: AddMemberPayload,
    errors: mutationErrors,
    description: 'Adds a person to the workspace.',
    args: { input: t.arg({ type: AddMemberInput, required: true, description: 'Who, and as what.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      member: await addMember(deps, actor(), inputOf(AddMember, given(input))),
    }),
  }),
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
