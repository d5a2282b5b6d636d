import { Button } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { useAction } from '../../api/useAction.ts'
import { signOut } from '../../session/auth.ts'
import type { Session } from '../../session/session.ts'
import { FormFault } from '../../ui/forms/FormFault.tsx'
import classes from '../../ui/layout/Door.module.css'
import { AcceptInvitation } from './documents.ts'

interface JoinAsYourselfProps {
  readonly token: string
  /** Whom the invitation is for. */
  readonly email: string
  /** null when nobody is signed in. */
  readonly session: Session | null
}

/** For somebody who has an account: they join when they are signed in with it. */
export function JoinAsYourself({ token, email, session }: JoinAsYourselfProps) {
  const [fault, setFault] = useState<string | null>(null)
  const [run, isRunning] = useAction(AcceptInvitation, { toast: false })
  const signInAddress = `/sign-in?${new URLSearchParams({ next: `/invitations/${token}` })}`

  async function join() {
    const outcome = await run({ input: { token } })
    if (outcome.ok) location.assign('/')
    else setFault(outcome.message)
  }
  async function change() {
    const failure = await signOut()
    if (failure === null) location.assign(signInAddress)
    else setFault(failure)
  }

  const isThem = session?.user.email.toLowerCase() === email.toLowerCase()
  return (
    <div className={classes.form}>
      {session !== null && !isThem && (
        <p className={classes.description}>
          You are signed in as {session.user.email}, but the invitation is for another address.
        </p>
      )}
      <FormFault message={fault} />
      {isThem && (
        <Button loading={isRunning} onClick={() => void join()}>
          Join
        </Button>
      )}
      {session === null && (
        <Button component={Link} to={signInAddress}>
          Sign in to join
        </Button>
      )}
      {session !== null && !isThem && <Button onClick={() => void change()}>Sign in as {email}</Button>}
    </div>
  )
}
