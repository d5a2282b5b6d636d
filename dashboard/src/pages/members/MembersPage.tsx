import { useAllPages } from '../../api/useAllPages.ts'
import { type Pages, usePages } from '../../api/usePages.ts'
import type { InvitationsQuery, MembersQuery } from '../../generated/documents.ts'
import { Page } from '../../ui/layout/Page.tsx'
import { Section } from '../../ui/layout/Section.tsx'
import { Failure } from '../../ui/states/Failure.tsx'
import { Loading } from '../../ui/states/Loading.tsx'
import { WhomToAsk } from '../../viewer/NotAllowed.tsx'
import { mayManage, roleName } from '../../viewer/roles.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { Invitations, Members } from './documents.ts'
import { type Invitation, InvitationTable } from './InvitationTable.tsx'
import { InviteMember } from './InviteMember.tsx'
import classes from './MembersPage.module.css'
import { MemberTable } from './MemberTable.tsx'

const PAGE_SIZE = { first: 50 }
const connectionOf = ({ invitations }: InvitationsQuery) => invitations
const MEMBERS_PAGE_SIZE = { first: 100 }
const membersOf = ({ workspace }: MembersQuery) => workspace?.members ?? null

export function Component() {
  const { role } = useWorkspace()
  return mayManage(role) ? <Managed /> : <Seen />
}

function Managed() {
  const invitations = usePages(Invitations, PAGE_SIZE, connectionOf)
  return (
    <Page
      title="Members"
      description="The members of this workspace and their roles. People join by invitation."
      actions={<InviteMember onInvited={invitations.reload} />}
    >
      <People />
      <OpenInvitations pages={invitations} />
    </Page>
  )
}

function OpenInvitations({ pages }: { readonly pages: Pages<Invitation> }) {
  return (
    <div className={classes.below}>
      <Section title="Open invitations" description="Not accepted yet. A link works once, within 7 days.">
        <InvitationTable pages={pages} />
      </Section>
    </div>
  )
}

/** For whoever manages nobody. */
function Seen() {
  const { role } = useWorkspace()
  return (
    <Page
      title="Members"
      description={
        <>
          The members of this workspace. Your role is {role === null ? 'none' : roleName(role)}. Owners and admins
          invite people and change roles. <WhomToAsk />
        </>
      }
    >
      <People />
    </Page>
  )
}

function People() {
  // All of them: whether somebody may be changed depends on how many owners there are.
  const { nodes, hasMore, isLoading, error, reload } = useAllPages(Members, MEMBERS_PAGE_SIZE, membersOf)
  if (error !== undefined) return <Failure error={error} onRetry={reload} />
  if (isLoading || hasMore) return <Loading lines={4} height={60} />
  return <MemberTable members={nodes} onRemoved={reload} />
}
