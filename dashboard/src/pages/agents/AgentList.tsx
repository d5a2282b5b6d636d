import { Button } from '@mantine/core'
import { Bot, Plus } from 'lucide-react'
import { useState } from 'react'
import { usePages } from '../../api/usePages.ts'
import type { AgentsQuery } from '../../generated/documents.ts'
import { Page } from '../../ui/layout/Page.tsx'
import { EmptyState } from '../../ui/states/EmptyState.tsx'
import { Failure } from '../../ui/states/Failure.tsx'
import { Loading } from '../../ui/states/Loading.tsx'
import { WhomToAsk } from '../../viewer/NotAllowed.tsx'
import { usePermissions } from '../../viewer/permissions.ts'
import { AgentCard } from './AgentCard.tsx'
import classes from './agents.module.css'
import { Agents } from './documents.ts'
import { InstallAgentDialog } from './InstallAgentDialog.tsx'

const PAGE_SIZE = 12
const connectionOf = (data: AgentsQuery) => data.agents

export function AgentList() {
  const { mayWrite } = usePermissions()
  const [isInstalling, setInstalling] = useState(false)
  const { nodes, hasMore, isLoading, isLoadingMore, error, loadMore, reload } = usePages(
    Agents,
    { first: PAGE_SIZE },
    connectionOf,
  )
  const install = mayWrite && (
    <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setInstalling(true)}>
      Install Agent
    </Button>
  )
  return (
    <Page
      wide
      title="AI Agents"
      description="Web services that reply in the conversations of this workspace."
      actions={nodes.length > 0 && install}
    >
      {isLoading && <Loading lines={3} height={150} />}
      {!isLoading && nodes.length === 0 && error === undefined && (
        <EmptyState icon={Bot} title="No agents yet" actions={install}>
          An agent is a web service in any language. GudDesk sends it signed events, and it replies over the API with
          its own key. When you install one, you get its secret, its key and working code.
          {!mayWrite && (
            <>
              {' '}
              Your role is read-only. <WhomToAsk />
            </>
          )}
        </EmptyState>
      )}
      {nodes.length > 0 && (
        <ul className={classes.cards} aria-label="Agents">
          {nodes.map((agent) => (
            <AgentCard key={agent.id} agent={agent} />
          ))}
        </ul>
      )}
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {hasMore && (
        <div className={classes.more}>
          <Button variant="default" loading={isLoadingMore} onClick={loadMore}>
            Load more
          </Button>
        </div>
      )}
      {isInstalling && <InstallAgentDialog onInstalled={reload} onClose={() => setInstalling(false)} />}
    </Page>
  )
}
