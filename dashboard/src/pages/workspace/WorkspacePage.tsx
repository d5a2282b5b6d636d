import { Badge } from '@mantine/core'
import { useQuery } from 'urql'
import { CopyField } from '../../ui/copy/CopyField.tsx'
import { Page } from '../../ui/layout/Page.tsx'
import { Section } from '../../ui/layout/Section.tsx'
import { Failure } from '../../ui/states/Failure.tsx'
import { Loading } from '../../ui/states/Loading.tsx'
import { Time } from '../../ui/Time.tsx'
import { WhomToAsk } from '../../viewer/NotAllowed.tsx'
import { mayManage } from '../../viewer/roles.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { WorkspaceFacts } from './documents.ts'
import { WorkspaceForm } from './WorkspaceForm.tsx'
import classes from './WorkspacePage.module.css'

const PLANS = { FREE: 'Free', PRO: 'Pro' }

export function Component() {
  const { role } = useWorkspace()
  const [{ data, error }, reload] = useQuery({ query: WorkspaceFacts })
  const workspace = data?.workspace ?? undefined
  return (
    <Page title="Workspace" description="What this workspace is called, and where it is found.">
      {workspace === undefined && error === undefined && <Loading lines={6} />}
      {workspace === undefined && error !== undefined && (
        <Failure error={error} onRetry={() => reload({ requestPolicy: 'network-only' })} />
      )}
      {workspace !== undefined && (
        <>
          <Section title="Name and address">
            {mayManage(role) ? (
              <WorkspaceForm key={workspace.id} workspace={workspace} />
            ) : (
              <>
                <dl className={classes.facts}>
                  <dt>Name</dt>
                  <dd>{workspace.name}</dd>
                  <dt>Address</dt>
                  <dd>{`${location.origin}/w/${workspace.slug}`}</dd>
                </dl>
                <p className={classes.dim}>
                  Owners and admins change them. <WhomToAsk />
                </p>
              </>
            )}
          </Section>
          <Section
            title="Plan"
            description="How many requests a minute each key has. Whoever runs this server sets it."
          >
            <Badge color="indigo" variant="light" tt="none">
              {PLANS[workspace.plan]}
            </Badge>
          </Section>
          <Section title="For programs" description="Keys of all workspaces name this one in their requests by its id.">
            <CopyField label="Workspace id" value={workspace.id} />
            <p className={classes.dim}>
              Made <Time at={workspace.createdAt} />.
            </p>
          </Section>
        </>
      )}
    </Page>
  )
}
