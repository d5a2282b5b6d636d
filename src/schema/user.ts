import { mayResetPassword } from '../domain/identity/passwords.ts'
import type { VisibleSession } from '../domain/identity/sessions.ts'
import type { User as UserRow } from '../generated/prisma/client.ts'
import { Actor } from './actor.ts'
import { builder } from './builder.ts'
import { loadMany } from './loaders.ts'

/** How somebody signs in is their own business: only what they ask about themselves has it. */
type UserShape = Pick<UserRow, 'id' | 'name' | 'email' | 'emailVerifiedAt'> & { readonly hasPassword?: boolean }

export const User = builder.objectRef<UserShape>('User')

builder.node(User, {
  interfaces: [Actor],
  description:
    'A person with an account. A user can be a member of several workspaces. Only the members of the workspace of the request are visible.',
  id: { resolve: ({ id }) => id },
  loadMany: async (ids, { loaders }) => {
    const found = await loadMany(loaders.actors, ids)
    return ids.map((id) => {
      const row = found.get(id)
      return row !== undefined && 'emailVerifiedAt' in row ? row : null
    })
  },
  fields: (t) => ({
    displayName: t.exposeString('name', { description: 'The name of the user.' }),
    name: t.exposeString('name', { description: 'The name of the user, the same in all workspaces.' }),
    email: t.exposeString('email', { description: 'The email address with which the user signs in.' }),
    hasPassword: t.boolean({
      nullable: true,
      description:
        'Whether the user has a password. Without one, they sign in with a link. Null unless the caller reads it of themselves, by `me`, `viewer` or a mutation of their own account.',
      resolve: ({ hasPassword }) => hasPassword ?? null,
    }),
    isEmailVerified: t.boolean({
      description: 'Whether the user has verified the email address, by a link that was sent to it.',
      resolve: ({ emailVerifiedAt }) => emailVerifiedAt !== null,
    }),
    mayResetPassword: t.boolean({
      nullable: true,
      description:
        'Whether the caller can set a password without the current one. True for one hour after signing in with a link, until the password is changed. Null where `hasPassword` is null.',
      resolve: ({ hasPassword }, _args, { deps, caller }) =>
        hasPassword === undefined ? null : mayResetPassword(deps, caller()),
    }),
  }),
})

export const Session = builder.objectRef<VisibleSession>('Session')

builder.node(Session, {
  description: 'A session of a user who is signed in. Only visible to that user, with a session.',
  id: { resolve: ({ id }) => id },
  loadMany: async (ids, { loaders }) => {
    const found = await loadMany(loaders.sessions, ids)
    return ids.map((id) => found.get(id) ?? null)
  },
  fields: (t) => ({
    isCurrent: t.boolean({
      description: 'Whether the request was made with this session.',
      resolve: ({ id }, _args, { caller }) => id === caller().credentialId,
    }),
    address: t.exposeString('address', {
      nullable: true,
      description: 'The IP address from which the user signed in. Null when it is unknown.',
    }),
    userAgent: t.exposeString('userAgent', {
      nullable: true,
      description: 'The User-Agent header of the request that signed in. Null when there was none.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the user signed in.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'The time when the session expires. Using the session extends it to 30 days, at most once a day.',
    }),
  }),
})

export const UpdateProfileInput = builder.inputType('UpdateProfileInput', {
  description: 'Input of `updateProfile`.',
  fields: (t) => ({ name: t.string({ required: true, description: 'The name of the user, 1 to 200 characters.' }) }),
})

export const ChangePasswordInput = builder.inputType('ChangePasswordInput', {
  description: 'Input of `changePassword`.',
  fields: (t) => ({
    currentPassword: t.string({
      description: 'The current password. Not required when the user has none, or when `mayResetPassword` is true.',
    }),
    newPassword: t.string({ required: true, description: 'The new password, 10 to 128 characters of any kind.' }),
    revokeApiKeys: t.boolean({
      description: 'Whether to revoke all API keys of the user, except the keys of agents. False by default.',
    }),
  }),
})

export const EndSessionInput = builder.inputType('EndSessionInput', {
  description: 'Input of `endSession`.',
  fields: (t) => ({ sessionId: t.id({ required: true, description: 'The id of a session of the caller.' }) }),
})
