import { acceptInvitation, findInvitation } from '../domain/identity/accept-invitation.ts'
import { inviteMember, listInvitations, revokeInvitation } from '../domain/identity/invitations.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { MutationPayload } from '../schema/errors.ts'
import {
  AcceptInvitationInput,
  Invitation,
  InvitationConnection,
  InvitationOfferRef,
  InviteMemberInput,
  RevokeInvitationInput,
} from '../schema/invitation.ts'

builder.queryFields((t) => ({
  invitations: t.field({
    type: InvitationConnection,
    description: 'Invitations that can still be accepted, newest first. For FULL_ACCESS; not for agents.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, actor, budget }) =>
      toConnection(await listInvitations(deps, actor(), pageRequest(page, budget))),
  }),
  invitationOffer: t.field({
    type: InvitationOfferRef,
    nullable: true,
    description: "What an invitation's link offers; null when it was used, revoked or is too old. For anybody.",
    args: { token: t.arg.string({ required: true, description: "The end of the invitation's link." }) },
    resolve: (_root, { token }, { deps }) => findInvitation(deps, token),
  }),
}))

const InviteMemberPayload = builder.simpleObject('InviteMemberPayload', {
  interfaces: [MutationPayload],
  description: 'The invitation, and its link, which is shown here and never again, or mailed and shown to nobody.',
  fields: (t) => ({
    invitation: t.field({ nullable: true, type: Invitation, description: 'What is kept of it.' }),
    link: t.string({
      nullable: true,
      description:
        'For the invited person, to open in a browser within 7 days. Null where the deployment mails it to them.',
    }),
  }),
})

const RevokeInvitationPayload = builder.simpleObject('RevokeInvitationPayload', {
  interfaces: [MutationPayload],
  description: 'What was taken back.',
  fields: (t) => ({ deletedId: t.id({ nullable: true, description: "The invitation's id." }) }),
})

const AcceptInvitationPayload = builder.simpleObject('AcceptInvitationPayload', {
  interfaces: [MutationPayload],
  description: 'Where they are a member now.',
  fields: (t) => ({
    workspaceId: t.id({ nullable: true, description: 'The workspace, for X-Workspace-Id.' }),
    email: t.string({ nullable: true, description: 'The address to sign in with.' }),
  }),
})

builder.mutationFields((t) => ({
  inviteMember: t.field({
    type: InviteMemberPayload,
    nullable: true,
    description:
      'Invites a person to the workspace, by mail where the deployment sends mail. They join when they accept.',
    args: { input: t.arg({ type: InviteMemberInput, required: true, description: 'Whom, and as what.' }) },
    resolve: (_root, { input }, { deps, actor }) => inviteMember(deps, actor(), input),
  }),
  revokeInvitation: t.field({
    type: RevokeInvitationPayload,
    nullable: true,
    description: 'Makes the link of an invitation worthless.',
    args: { input: t.arg({ type: RevokeInvitationInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      await revokeInvitation(deps, actor(), input.invitationId)
      return { deletedId: input.invitationId }
    },
  }),
  acceptInvitation: t.field({
    type: AcceptInvitationPayload,
    nullable: true,
    description: 'Joins a workspace by invitation. For anybody who has the link; then sign in with the password.',
    args: { input: t.arg({ type: AcceptInvitationInput, required: true, description: 'Which one, and who.' }) },
    resolve: (_root, { input }, { deps, signedIn, origin }) =>
      acceptInvitation(deps, { caller: signedIn(), origin }, input),
  }),
}))
