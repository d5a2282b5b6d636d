import { Button } from '@mantine/core'
import { useFirstSteps } from './useFirstSteps.ts'
import classes from './VisitorWindow.module.css'

/** Until there is an agent: one click makes one answer. */
export function NobodyAnswers() {
  const { isLoading, hasAgent, isInstalling, installEcho } = useFirstSteps()
  if (isLoading || hasAgent) return null
  return (
    <div className={classes.notice}>
      <p>No agent is installed, so only your team can reply.</p>
      <Button size="compact-sm" variant="light" loading={isInstalling} onClick={() => void installEcho()}>
        Install the echo agent
      </Button>
    </div>
  )
}
