import { changePassword } from '../domain/identity/passwords.ts'
import { endSession, listSessions } from '../domain/identity/sessions.ts'
import { getMe, updateProfile } from '../domain/identity/users.ts'
import { builder } from '../schema/builder.ts'
import { MutationPayload } from '../schema/errors.ts'
import { ChangePasswordInput, EndSessionInput, Session, UpdateProfileInput, User } from '../schema/user.ts'

builder.queryFields((t) => ({
  me: t.field({
    type: User,
    description: 'The person who is signed in; no workspace needs to be named.',
    resolve: (_root, _args, { deps, caller }) => getMe(deps, caller()),
  }),
  sessions: t.field({
    type: [Session],
    description: 'Where you are signed in, the latest first, 100 at most. For people who are signed in.',
    resolve: async (_root, _args, { deps, caller }) => {
      const { credentialId } = caller()
      const sessions = await listSessions(deps, caller())
      return sessions.map((session) => ({ ...session, isCurrent: session.id === credentialId }))
    },
  }),
}))

const UpdateProfilePayload = builder.simpleObject('UpdateProfilePayload', {
  interfaces: [MutationPayload],
  description: 'Who was changed.',
  fields: (t) => ({ user: t.field({ nullable: true, type: User, description: 'The person as they are now.' }) }),
})

const ChangePasswordPayload = builder.simpleObject('ChangePasswordPayload', {
  interfaces: [MutationPayload],
  description: 'Whose password was changed.',
  fields: (t) => ({ user: t.field({ nullable: true, type: User, description: 'The person as they are now.' }) }),
})

const EndSessionPayload = builder.simpleObject('EndSessionPayload', {
  interfaces: [MutationPayload],
  description: 'What was ended.',
  fields: (t) => ({ deletedId: t.id({ nullable: true, description: "The session's id." }) }),
})

builder.mutationFields((t) => ({
  updateProfile: t.field({
    type: UpdateProfilePayload,
    nullable: true,
    description: 'Changes what you are called. For people who are signed in.',
    args: { input: t.arg({ type: UpdateProfileInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input }, { deps, caller }) => ({ user: await updateProfile(deps, caller(), input) }),
  }),
  changePassword: t.field({
    type: ChangePasswordPayload,
    nullable: true,
    description: 'Gives you a new password and ends your other sessions. For people who are signed in.',
    args: { input: t.arg({ type: ChangePasswordInput, required: true, description: 'The old one and the new one.' }) },
    resolve: async (_root, { input }, { deps, caller }) => {
      await changePassword(deps, caller(), input)
      return { user: await getMe(deps, caller()) }
    },
  }),
  endSession: t.field({
    type: EndSessionPayload,
    nullable: true,
    description: 'Signs you out somewhere, at once. For people who are signed in.',
    args: { input: t.arg({ type: EndSessionInput, required: true, description: 'Where.' }) },
    resolve: async (_root, { input }, { deps, caller }) => {
      await endSession(deps, caller(), input.sessionId)
      return { deletedId: input.sessionId }
    },
  }),
}))
