import { useQuery } from 'urql'
import { Failure } from '../../ui/Failure.tsx'
import { Loading } from '../../ui/Loading.tsx'
import { Page } from '../../ui/Page.tsx'
import { Section } from '../../ui/Section.tsx'
import { Sessions } from './documents.ts'
import { NameForm } from './NameForm.tsx'
import { PasswordForm } from './PasswordForm.tsx'
import { SessionList } from './SessionList.tsx'

export function Component() {
  const [{ data, error }, reload] = useQuery({ query: Sessions })
  const again = () => reload({ requestPolicy: 'network-only' })
  return (
    <Page title="Profile" description="Who you are to your team, and how you sign in. The same in all your workspaces.">
      {error !== undefined && data === undefined && <Failure error={error} onRetry={again} />}
      {error === undefined && data === undefined && <Loading lines={6} />}
      {data !== undefined && (
        <>
          <Section title="You">
            <NameForm user={data.me} />
          </Section>
          <Section title="Password">
            <PasswordForm hasPassword={data.me.hasPassword} onChanged={again} />
          </Section>
          <Section title="Where you are signed in" description="End what you do not know, then change your password.">
            <SessionList sessions={data.sessions} onEnded={again} />
          </Section>
        </>
      )}
    </Page>
  )
}
