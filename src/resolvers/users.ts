import { changePassword } from '../domain/identity/passwords.ts'
import { endSession, listSessions } from '../domain/identity/sessions.ts'
import { getMe, updateProfile } from '../domain/identity/users.ts'
import { builder } from '../schema/builder.ts'
import { MutationPayload } from '../schema/errors.ts'
import { ChangePasswordInput, EndSessionInput, Session, UpdateProfileInput, User } from '../schema/user.ts'

builder.queryFields((t) => ({
  me: t.field({
    type: User,
    description: 'The user who is signed in. Does not require a workspace. Refused for API keys.',
    resolve: (_root, _args, { deps, caller }) => getMe(deps, caller()),
  }),
  sessions: t.field({
    type: [Session],
    description: 'The sessions of the caller, newest first, at most 100. Refused for API keys.',
    resolve: (_root, _args, { deps, caller }) => listSessions(deps, caller()),
  }),
}))

const UpdateProfilePayload = builder.simpleObject('UpdateProfilePayload', {
  interfaces: [MutationPayload],
  description: 'The result of `updateProfile`.',
  fields: (t) => ({
    user: t.field({
      type: User,
      description: 'The user in its current state.',
    }),
  }),
})

const ChangePasswordPayload = builder.simpleObject('ChangePasswordPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `changePassword`.',
  fields: (t) => ({
    user: t.field({
      type: User,
      description: 'The user in its current state.',
    }),
  }),
})

const EndSessionPayload = builder.simpleObject('EndSessionPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `endSession`.',
  fields: (t) => ({
    deletedId: t.id({
      description: 'The id of the session that was ended.',
    }),
  }),
})

builder.mutationFields((t) => ({
  updateProfile: t.field({
    type: UpdateProfilePayload,
    description: 'Changes the name of the caller, in all workspaces. Refused for API keys.',
    args: { input: t.arg({ type: UpdateProfileInput, required: true, description: 'The new name.' }) },
    resolve: async (_root, { input }, { deps, caller }) => ({ user: await updateProfile(deps, caller(), input) }),
  }),
  changePassword: t.field({
    type: ChangePasswordPayload,
    description:
      'Sets a new password and ends all other sessions and sign-in links of the caller. Refused for API keys.',
    args: {
      input: t.arg({ type: ChangePasswordInput, required: true, description: 'The current and the new password.' }),
    },
    resolve: async (_root, { input }, { deps, caller }) => {
      await changePassword(deps, caller(), input)
      return { user: await getMe(deps, caller()) }
    },
  }),
  endSession: t.field({
    type: EndSessionPayload,
    description: 'Ends a session of the caller immediately. Refused for API keys.',
    args: { input: t.arg({ type: EndSessionInput, required: true, description: 'The session to end.' }) },
    resolve: async (_root, { input }, { deps, caller }) => {
      await endSession(deps, caller(), input.sessionId)
      return { deletedId: input.sessionId }
    },
  }),
}))
