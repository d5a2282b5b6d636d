import { mayResetPassword } from '../domain/identity/passwords.ts'
import type { VisibleSession } from '../domain/identity/sessions.ts'
import type { User as UserRow } from '../generated/prisma/client.ts'
import { Actor } from './actor.ts'
import { builder } from './builder.ts'

/** How somebody signs in is their own business: an actor's row does not have it. */
type UserShape = UserRow & { readonly hasPassword?: boolean }

export const User = builder.objectRef<UserShape>('User').implement({
  interfaces: [Actor],
  description: 'A person with an account. A user can be a member of several workspaces.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the user.' }),
    displayName: t.exposeString('name', { description: 'The name of the user.' }),
    name: t.exposeString('name', { description: 'The name of the user, the same in all workspaces.' }),
    email: t.exposeString('email', { description: 'The email address with which the user signs in.' }),
    hasPassword: t.boolean({
      nullable: true,
      description:
        'Whether the user has a password. Without one, they sign in with a link. Null for the actor of an audit entry.',
      resolve: ({ hasPassword }) => hasPassword ?? null,
    }),
    isEmailVerified: t.boolean({
      description: 'Whether the user has verified the email address, by a link that was sent to it.',
      resolve: ({ emailVerifiedAt }) => emailVerifiedAt !== null,
    }),
    mayResetPassword: t.boolean({
      nullable: true,
      description:
        'Whether the caller can set a password without the current one. True for one hour after signing in with a link, until the password is changed. Null for the actor of an audit entry.',
      resolve: ({ hasPassword }, _args, { deps, caller }) =>
        hasPassword === undefined ? null : mayResetPassword(deps, caller()),
    }),
  }),
})

export const Session = builder.objectRef<VisibleSession & { isCurrent: boolean }>('Session').implement({
  description: 'A session of a user who is signed in.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the session.' }),
    isCurrent: t.exposeBoolean('isCurrent', { description: 'Whether the request was made with this session.' }),
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
