import { Button } from '@mantine/core'
import { CircleCheck, CircleDashed } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { Link } from 'react-router'
import { useWorkspace } from '../viewer/workspace.ts'
import classes from './GetStarted.module.css'
import { type Steps, useFirstSteps } from './useFirstSteps.ts'
import { usePlayground } from './usePlayground.ts'

interface GetStartedProps {
  /** What stands here once everything is done. */
  readonly children: ReactNode
}

/** Leads a new workspace to its first webhook; gives way once it was delivered. */
export default function GetStarted({ children }: GetStartedProps) {
  const steps = useFirstSteps()
  const [isLed, setLed] = useState(false)
  const isDone = steps.hasAgent && steps.hasConversation && steps.delivery !== null
  // Whoever was led here sees the last step done, too, before it goes.
  if (!steps.isLoading && !isDone && !isLed) setLed(true)
  if (steps.isLoading) return null
  if (isDone && !isLed) return children
  return <Guide steps={steps} isDone={isDone} onLeave={() => setLed(false)} />
}

interface GuideProps {
  readonly steps: Steps
  readonly isDone: boolean
  readonly onLeave: () => void
}

function Guide({ steps, isDone, onLeave }: GuideProps) {
  const { path, isDevelopment } = useWorkspace()
  const { isOpen, open, close } = usePlayground()
  return (
    <section className={classes.guide} data-beside={isOpen || undefined} aria-label="First steps">
      <h2 className={classes.title}>
        {isDone ? 'Your first webhook was delivered' : 'Three steps to your first answer'}
      </h2>
      <p className={classes.text}>
        A visitor writes, GudDesk sends a signed webhook to an agent, and the agent replies.
      </p>
      <ol className={classes.steps}>
        <Step isDone={steps.hasAgent} title="Install an agent">
          <p>Any web service that receives webhooks. The built-in echo agent repeats each message.</p>
          <div className={classes.actions}>
            {isDevelopment && (
              <Button size="xs" loading={steps.isInstalling} onClick={() => void steps.installEcho()}>
                Install the echo agent
              </Button>
            )}
            <Button size="xs" variant="default" component={Link} to={path('settings/agents')}>
              Install your own
            </Button>
          </div>
        </Step>
        <Step isDone={steps.hasConversation} title="Write as a visitor">
          <p>
            {isDevelopment
              ? 'A window opens in which you are the visitor. Watch the conversation appear here.'
              : 'Start a conversation over the API: POST /api/v1/conversations.'}
          </p>
          {isDevelopment && (
            <div className={classes.actions}>
              <Button size="xs" onClick={open}>
                Talk as a visitor
              </Button>
            </div>
          )}
        </Step>
        <Step isDone={steps.delivery !== null} title="See the webhook delivered">
          <p>Webhooks lists each event sent to your agent, with every attempt and response.</p>
          <div className={classes.actions}>
            <Button size="xs" variant="default" component={Link} to={path('settings/webhooks')}>
              View webhooks
            </Button>
          </div>
        </Step>
      </ol>
      {isDone && steps.delivery !== null && (
        <div className={classes.actions}>
          <Button
            size="xs"
            component={Link}
            to={path(`settings/webhooks/${steps.delivery.endpointId}/${steps.delivery.id}`)}
            // It would lie over what is to be looked at.
            onClick={close}
          >
            View delivery
          </Button>
          <Button size="xs" variant="default" onClick={onLeave}>
            Close this guide
          </Button>
        </div>
      )}
    </section>
  )
}

interface StepProps {
  readonly isDone: boolean
  readonly title: string
  readonly children: ReactNode
}

function Step({ isDone, title, children }: StepProps) {
  return (
    <li className={classes.step} data-done={isDone || undefined}>
      {isDone ? <CircleCheck size={18} aria-label="Done" /> : <CircleDashed size={18} aria-label="To do" />}
      <div>
        <h3 className={classes.name}>{title}</h3>
        {!isDone && children}
      </div>
    </li>
  )
}
