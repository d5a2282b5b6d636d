import { Button } from '@mantine/core'
import { useEffect, useState } from 'react'
import { FormFault } from '../ui/forms/FormFault.tsx'
import { mailLink, mailsLinks } from './auth.ts'

interface MailLinkProps {
  readonly email: string
  /** What stands there where no mail is sent. */
  readonly otherwise?: string
}

/** Mails a sign-in link, where the deployment sends mail. */
export function MailLink({ email, otherwise }: MailLinkProps) {
  const [isOffered, setOffered] = useState<boolean>()
  const [isRunning, setRunning] = useState(false)
  const [sentTo, setSentTo] = useState<string | null>(null)
  const [fault, setFault] = useState<string | null>(null)
  useEffect(() => void mailsLinks().then(setOffered), [])

  async function send() {
    setRunning(true)
    const failure = await mailLink(email)
    setRunning(false)
    setFault(failure)
    setSentTo(failure === null ? email : null)
  }

  if (isOffered === undefined) return null
  if (!isOffered) return otherwise === undefined ? null : <p>{otherwise}</p>
  return (
    <>
      <FormFault message={fault} />
      <Button variant="default" loading={isRunning} disabled={!email.includes('@')} onClick={() => void send()}>
        Email me a sign-in link
      </Button>
      <p role="status">
        {sentTo !== null && `If ${sentTo} has an account here, a link is on its way. It works once, within 24 hours.`}
      </p>
    </>
  )
}
