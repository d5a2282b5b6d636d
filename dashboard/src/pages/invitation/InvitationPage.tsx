import { Button } from '@mantine/core'
import { useEffect, useState } from 'react'
import { Link, useParams } from 'react-router'
import { Provider, useQuery } from 'urql'
import type { InvitationQuery } from '../../generated/documents.ts'
import { MailLink } from '../../session/MailLink.tsx'
import { outside } from '../../session/outside.ts'
import { fetchSession, type Session } from '../../session/session.ts'
import classes from '../../ui/layout/Door.module.css'
import { Door } from '../../ui/layout/Door.tsx'
import { Splash } from '../../ui/layout/Splash.tsx'
import { Unreachable } from '../../ui/states/Unreachable.tsx'
import { Invitation } from './documents.ts'
import { JoinAsYourself } from './JoinAsYourself.tsx'
import { NewPersonForm } from './NewPersonForm.tsx'

export function Component() {
  return (
    <Provider value={outside}>
      <InvitationPage />
    </Provider>
  )
}

export type Offer = NonNullable<InvitationQuery['invitationOffer']>

function InvitationPage() {
  const { token = '' } = useParams()
  const [{ data, error }, retry] = useQuery({ query: Invitation, variables: { token } })
  const [session, setSession] = useState<Session | null>()
  // Whoever cannot be told from a stranger is one: the server decides again when they accept.
  useEffect(() => void fetchSession().then(setSession, () => setSession(null)), [])

  if (error !== undefined) return <Unreachable onRetry={() => retry({ requestPolicy: 'network-only' })} />
  if (data === undefined || session === undefined) return <Splash />
  if (data.invitationOffer === null) return <Gone />
  const { workspaceName, email, role, hasAccount, mustVerifyEmail } = data.invitationOffer
  return (
    <Door title={`Join ${workspaceName}`} description={`You are invited as ${ROLES[role]}, with the address ${email}.`}>
      {mustVerifyEmail && <VerifyFirst email={email} />}
      {hasAccount && !mustVerifyEmail && <JoinAsYourself token={token} email={email} session={session} />}
      {!hasAccount && <NewPersonForm token={token} email={email} />}
    </Door>
  )
}

/** Whoever made that account may not be who the address belongs to. */
function VerifyFirst({ email }: { readonly email: string }) {
  return (
    <div className={classes.form}>
      <p className={classes.description}>
        {email} has an account with an unverified address. Sign in once with a sign-in link that is sent to it, then
        open this invitation again.
      </p>
      <MailLink email={email} otherwise="Ask your server administrator for a sign-in link." />
    </div>
  )
}

const ROLES = { OWNER: 'an owner', ADMIN: 'an admin', AGENT: 'an agent', VIEWER: 'a viewer' } as const

function Gone() {
  return (
    <Door
      title="This invitation is no longer valid"
      description="It was accepted or revoked, or is more than 7 days old. Ask for a new invitation."
    >
      <Button component={Link} to="/sign-in" mt="lg" fullWidth variant="default">
        Sign in
      </Button>
    </Door>
  )
}
