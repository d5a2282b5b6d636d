import type { MemberRole } from '../../../src/generated/prisma/enums.ts'
import { graphql } from '../../support/graphql.ts'
import type { TestGudDesk } from '../../support/guddesk.ts'

const INVITE = graphql(`mutation ($input: InviteMemberInput!) { inviteMember(input: $input) {
  link invitation { id mailStatus }
  error { retryAfterSeconds code message }
} }`)
const ACCEPT = graphql(`mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
  workspaceId
  error { code message }
} }`)
const OFFER = graphql(`query ($token: String!) { invitationOffer(token: $token) { hasAccount mustVerifyEmail } }`)

/** What the tests of invitations ask of a server; each answer may be a refusal. */
export function invitationsOf(guddesk: () => TestGudDesk) {
  return {
    tryToInvite: async (email: string, key: string, role: MemberRole = 'AGENT') =>
      (await guddesk().query(INVITE, { input: { email, role } }, { key })).inviteMember,
    accept: async (token: string, input: { name?: string; password?: string } = {}, key: string | null = null) =>
      (await guddesk().query(ACCEPT, { input: { token, ...input } }, { key })).acceptInvitation,
    offer: async (token: string) => (await guddesk().query(OFFER, { token }, { key: null })).invitationOffer,
  }
}
