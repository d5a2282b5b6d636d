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
    description: 'The pending invitations of the workspace, newest first. Requires FULL_ACCESS. Refused for agents.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, actor, budget }) =>
      toConnection(await listInvitations(deps, actor(), pageRequest(page, budget))),
  }),
  invitationOffer: t.field({
    type: InvitationOfferRef,
    nullable: true,
    description:
      'The content of an invitation. Null when it was accepted or revoked, or has expired. Does not require authentication.',
    args: { token: t.arg.string({ required: true, description: 'The token at the end of the link.' }) },
    resolve: (_root, { token }, { deps }) => findInvitation(deps, token),
  }),
}))

const InviteMemberPayload = builder.simpleObject('InviteMemberPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `inviteMember`. The link is only returned here, unless it is sent by email.',
  fields: (t) => ({
    invitation: t.field({
      type: Invitation,
      description: 'The new invitation.',
    }),
    link: t.string({
      nullable: true,
      description:
        'The link for the invited person to open in a browser within 7 days. Null when it is sent by email, or when the mutation was refused.',
    }),
  }),
})

const RevokeInvitationPayload = builder.simpleObject('RevokeInvitationPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `revokeInvitation`.',
  fields: (t) => ({
    deletedId: t.id({
      description: 'The id of the revoked invitation.',
    }),
  }),
})

const AcceptInvitationPayload = builder.simpleObject('AcceptInvitationPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `acceptInvitation`.',
  fields: (t) => ({
    workspaceId: t.id({
      description: 'The id of the joined workspace, for the header `X-Workspace-Id`.',
    }),
    email: t.string({
      description: 'The email address to sign in with.',
    }),
  }),
})

builder.mutationFields((t) => ({
  inviteMember: t.field({
    type: InviteMemberPayload,
    description: 'Invites a person to the workspace, by email if the deployment sends email. Requires FULL_ACCESS.',
    args: { input: t.arg({ type: InviteMemberInput, required: true, description: 'The person and their role.' }) },
    resolve: (_root, { input }, { deps, actor }) => inviteMember(deps, actor(), input),
  }),
  revokeInvitation: t.field({
    type: RevokeInvitationPayload,
    description: 'Revokes an invitation: its link stops working. Requires FULL_ACCESS.',
    args: { input: t.arg({ type: RevokeInvitationInput, required: true, description: 'The invitation to revoke.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      await revokeInvitation(deps, actor(), input.invitationId)
      return { deletedId: input.invitationId }
    },
  }),
  acceptInvitation: t.field({
    type: AcceptInvitationPayload,
    description:
      'Accepts an invitation to a workspace. Requires the token of the link. A person without an account gets one, and can then sign in with the password.',
    // Somebody without a credential may use an Idempotency-Key here.
    extensions: { isForAnybody: true },
    args: {
      input: t.arg({ type: AcceptInvitationInput, required: true, description: 'The invitation and the new account.' }),
    },
    resolve: (_root, { input }, { deps, signedIn, origin }) =>
      acceptInvitation(deps, { caller: signedIn(), origin }, input),
  }),
}))
