import { useQuery } from 'urql'
import { MailLink } from '../../session/MailLink.tsx'
import { Page } from '../../ui/layout/Page.tsx'
import { Section } from '../../ui/layout/Section.tsx'
import { Failure } from '../../ui/states/Failure.tsx'
import { Loading } from '../../ui/states/Loading.tsx'
import { Sessions } from './documents.ts'
import classes from './forms.module.css'
import { NameForm } from './NameForm.tsx'
import { PasswordForm } from './PasswordForm.tsx'
import { SessionList } from './SessionList.tsx'

export function Component() {
  const [{ data, error }, reload] = useQuery({ query: Sessions })
  const { me = null, sessions = null } = data ?? {}
  const again = () => reload({ requestPolicy: 'network-only' })
  return (
    <Page title="Profile" description="Your name and sign-in details, the same in all your workspaces.">
      {error !== undefined && me === null && <Failure error={error} onRetry={again} />}
      {error === undefined && me === null && <Loading lines={6} />}
      {me !== null && (
        <>
          {!me.isEmailVerified && <Unverified email={me.email} />}
          <Section title="You">
            <NameForm user={me} />
          </Section>
          <Section title="Password">
            <PasswordForm
              hasPassword={me.hasPassword === true}
              isReset={me.mayResetPassword === true}
              onChanged={again}
            />
          </Section>
          <Section title="Sessions" description="If you do not recognize a session, end it and change your password.">
            <SessionList sessions={sessions ?? []} onEnded={again} />
          </Section>
        </>
      )}
    </Page>
  )
}

/** What they cannot do yet, and how they can. */
function Unverified({ email }: { readonly email: string }) {
  return (
    <Section
      title="Verify your address"
      description={`Until you sign in once with a link that is sent to ${email}, you cannot join other workspaces or make keys for all of yours. That link ends your password, your other sessions and your API keys, because someone else may have created them: set a new password afterwards.`}
    >
      <div className={classes.form}>
        <MailLink email={email} otherwise="Ask your server administrator for a sign-in link." />
      </div>
    </Section>
  )
}
