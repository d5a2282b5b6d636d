import { mayResetPassword } from '../domain/identity/passwords.ts'
import type { VisibleSession } from '../domain/identity/sessions.ts'
import type { UserWithAccess } from '../domain/identity/users.ts'
import { builder } from './builder.ts'

export const User = builder.objectRef<UserWithAccess>('User').implement({
  description: 'A person, in whatever workspaces.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique.' }),
    name: t.exposeString('name', { description: 'What they are called, everywhere.' }),
    email: t.exposeString('email', { description: 'Their email address, with which they sign in.' }),
    hasPassword: t.exposeBoolean('hasPassword', {
      description: 'Whether they can sign in with a password; otherwise they came by a link.',
    }),
    isEmailVerified: t.boolean({
      description: 'Whether they have used a link that was sent to their address.',
      resolve: ({ emailVerifiedAt }) => emailVerifiedAt !== null,
    }),
    mayResetPassword: t.boolean({
      description:
        'Whether you may set a password without the current one: you signed in by a link within the last hour.',
      resolve: (_user, _args, { deps, caller }) => mayResetPassword(deps, caller()),
    }),
  }),
})

export const Session = builder.objectRef<VisibleSession & { isCurrent: boolean }>('Session').implement({
  description: 'A place where somebody is signed in.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique.' }),
    isCurrent: t.exposeBoolean('isCurrent', { description: 'Whether it is the one that asks.' }),
    address: t.exposeString('address', { nullable: true, description: 'The IP address that it was opened from.' }),
    userAgent: t.exposeString('userAgent', { nullable: true, description: 'The program that opened it, as it says.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they signed in.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends unless it is used before.' }),
  }),
})

export const UpdateProfileInput = builder.inputType('UpdateProfileInput', {
  description: 'What the person who is signed in is called.',
  fields: (t) => ({ name: t.string({ required: true, description: 'Their name, at most 200 characters.' }) }),
})

export const ChangePasswordInput = builder.inputType('ChangePasswordInput', {
  description: 'A new password.',
  fields: (t) => ({
    currentPassword: t.string({
      description: 'The present one; left out by somebody who has none yet, or has just signed in by a link.',
    }),
    newPassword: t.string({ required: true, description: '10 to 128 characters, any characters.' }),
    revokeApiKeys: t.boolean({ description: 'Whether to revoke all your API keys, too. Those of agents stay.' }),
  }),
})

export const EndSessionInput = builder.inputType('EndSessionInput', {
  description: 'A session to end at once.',
  fields: (t) => ({ sessionId: t.id({ required: true, description: 'Which one of your own.' }) }),
})
