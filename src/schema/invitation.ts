import type { InvitationOffer } from '../domain/identity/accept-invitation.ts'
import { visibleInvitations } from '../domain/identity/invitations.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { MailStatus, MemberRole } from './enums.ts'

export const Invitation = builder.prismaNode('Invitation', {
  nullable: true,
  description: 'A pending invitation of a person to the workspace.',
  id: { field: 'id' },
  // Like the list of invitations, for FULL_ACCESS only; to anybody else there is none.
  findUnique: (id, context) => {
    const visible = visibleInvitations(context.actor(), context.deps.clock.now())
    return visible === null ? { id: '' } : { id, ...visible }
  },
  fields: (t) => ({
    email: t.exposeString('email', { description: 'The email address of the invited person.' }),
    role: t.expose('role', { type: MemberRole, description: 'The role of the person after they join.' }),
    mailStatus: t.expose('mailStatus', {
      type: MailStatus,
      nullable: true,
      description:
        'The state of the email with the link. To send another email, invite the person again. Null when the deployment does not send email.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time of the invitation.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'The time when the link expires: 7 days after the invitation.',
    }),
  }),
})

export const InvitationConnection = connectionOf(Invitation, 'Invitation')

export const InvitationOfferRef = builder.objectRef<InvitationOffer>('InvitationOffer').implement({
  description: 'The content of an invitation, for the person who has its link.',
  fields: (t) => ({
    workspaceName: t.exposeString('workspaceName', { description: 'The name of the workspace.' }),
    email: t.exposeString('email', { description: 'The email address of the invited person.' }),
    role: t.expose('role', { type: MemberRole, description: 'The role of the person after they join.' }),
    hasAccount: t.exposeBoolean('hasAccount', {
      description:
        'Whether the email address has an account. If so, the person signs in to accept; otherwise, they choose a name and a password.',
    }),
    mustVerifyEmail: t.exposeBoolean('mustVerifyEmail', {
      description:
        'Whether the person must sign in with a link first, because the email address of the account is not verified.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'The time when the link expires: 7 days after the invitation.',
    }),
  }),
})

export const InviteMemberInput = builder.inputType('InviteMemberInput', {
  description: 'Input of `inviteMember`.',
  fields: (t) => ({
    email: t.string({
      required: true,
      description: 'The email address of the person. A new invitation replaces an earlier one and its link.',
    }),
    role: t.field({
      type: MemberRole,
      required: true,
      description: 'The role of the person after they join. Only owners can invite owners.',
    }),
  }),
})

export const RevokeInvitationInput = builder.inputType('RevokeInvitationInput', {
  description: 'Input of `revokeInvitation`.',
  fields: (t) => ({ invitationId: t.id({ required: true, description: 'The id of the invitation.' }) }),
})

export const AcceptInvitationInput = builder.inputType('AcceptInvitationInput', {
  description: 'Input of `acceptInvitation`.',
  fields: (t) => ({
    token: t.string({ required: true, description: 'The token at the end of the link.' }),
    name: t.string({ description: 'The name of the person, 1 to 200 characters. Required without an account.' }),
    password: t.string({ description: 'A new password, 10 to 128 characters. Required without an account.' }),
  }),
})
