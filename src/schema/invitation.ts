import type { InvitationOffer } from '../domain/identity/accept-invitation.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { MailStatus, MemberRole } from './enums.ts'

export const Invitation = builder.prismaObject('Invitation', {
  description: 'Somebody who was asked to join the workspace and has not answered yet.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique.' }),
    email: t.exposeString('email', { description: 'Whom it is for.' }),
    role: t.expose('role', { type: MemberRole, description: 'What they will be.' }),
    mailStatus: t.expose('mailStatus', {
      type: MailStatus,
      nullable: true,
      description:
        'Whether the mail with the link was sent; inviting them again sends another. Null where no mail is sent.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they were invited.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the link becomes worthless.' }),
  }),
})

export const InvitationConnection = connectionOf(Invitation, 'Invitation')

export const InvitationOfferRef = builder.objectRef<InvitationOffer>('InvitationOffer').implement({
  description: "What an invitation's link offers, for whoever has it.",
  fields: (t) => ({
    workspaceName: t.exposeString('workspaceName', { description: 'Which workspace it leads to.' }),
    email: t.exposeString('email', { description: 'Whom it is for.' }),
    role: t.expose('role', { type: MemberRole, description: 'What they will be.' }),
    hasAccount: t.exposeBoolean('hasAccount', {
      description: 'Whether to sign in as that address to accept; otherwise choose a name and a password.',
    }),
    mustVerifyEmail: t.exposeBoolean('mustVerifyEmail', {
      description:
        'Whether the account must be signed in to by a sign-in link first: nobody has verified its address yet.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the link becomes worthless.' }),
  }),
})

export const InviteMemberInput = builder.inputType('InviteMemberInput', {
  description: 'A person to invite.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'Whom. Inviting them again makes the earlier link worthless.' }),
    role: t.field({ type: MemberRole, required: true, description: 'What they will be; only owners invite owners.' }),
  }),
})

export const RevokeInvitationInput = builder.inputType('RevokeInvitationInput', {
  description: 'An invitation to take back.',
  fields: (t) => ({ invitationId: t.id({ required: true, description: 'Which one.' }) }),
})

export const AcceptInvitationInput = builder.inputType('AcceptInvitationInput', {
  description: 'An invitation to accept.',
  fields: (t) => ({
    token: t.string({ required: true, description: "The end of the invitation's link." }),
    name: t.string({ description: 'For whoever has no account yet: what they are called.' }),
    password: t.string({ description: 'For whoever has no account yet: 10 to 128 characters.' }),
  }),
})
