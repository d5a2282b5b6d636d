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
    <Page title="Workspace" description="Name, address and plan.">
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
                  Only owners and admins can change these. <WhomToAsk />
                </p>
              </>
            )}
          </Section>
          <Section
            title="Plan"
            description="The number of requests per minute of each key. Set by the server administrator."
          >
            <Badge color="indigo" variant="light" tt="none">
              {PLANS[workspace.plan]}
            </Badge>
          </Section>
          <Section title="API" description="Keys for all workspaces send this id to select this workspace.">
            <CopyField label="Workspace id" value={workspace.id} />
            <p className={classes.dim}>
              Created <Time at={workspace.createdAt} />.
            </p>
          </Section>
        </>
      )}
    </Page>
  )
}
