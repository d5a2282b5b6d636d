import { Alert, Button } from '@mantine/core'
import { EyeOff } from 'lucide-react'
import { TestForm } from '../../deliveries/SendTest.tsx'
import type { AgentFieldsFragment } from '../../generated/documents.ts'
import { CopyField } from '../../ui/copy/CopyField.tsx'
import classes from '../../ui/forms/form.module.css'
import { useStay } from '../../ui/forms/useStay.ts'
import { usePermissions } from '../../viewer/permissions.ts'
import { endpointsOf } from './agentDraft.ts'
import { Quickstart } from './Quickstart.tsx'

export interface Credentials {
  readonly agent: AgentFieldsFragment
  readonly webhookSecret: string
  readonly apiKey: string
}

interface CredentialsPanelProps {
  readonly credentials: Credentials
  readonly onSaved: () => void
}

/** The only time that an agent's credentials are shown, with code that has them filled in. */
export function CredentialsPanel({ credentials, onSaved }: CredentialsPanelProps) {
  const { mayManage } = usePermissions()
  const letGo = useStay()
  const { agent, webhookSecret, apiKey } = credentials
  const [endpoint] = endpointsOf(agent)
  return (
    <div className={classes.form}>
      <Alert color="yellow" variant="light" icon={<EyeOff size={16} />}>
        This is the only time that you see these. Save both where your secrets are; lost ones are replaced by rotating.
      </Alert>
      <CopyField label="Webhook signing secret" value={webhookSecret} />
      <CopyField label="API key" value={apiKey} />
      {endpoint !== undefined && (
        <>
          <Quickstart name={agent.name} webhookUrl={endpoint.url} credentials={credentials} />
          {mayManage && <TestForm endpointId={endpoint.id} />}
        </>
      )}
      <div className={classes.actions}>
        <Button
          onClick={() => {
            letGo()
            onSaved()
          }}
        >
          I have saved these
        </Button>
      </div>
    </div>
  )
}
