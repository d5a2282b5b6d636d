import { ActionIcon, CloseButton, Tooltip } from '@mantine/core'
import { SquarePen } from 'lucide-react'
import { useWorkspace } from '../viewer/workspace.ts'
import { Begin } from './Begin.tsx'
import { NobodyAnswers } from './NobodyAnswers.tsx'
import { Talk } from './Talk.tsx'
import { usePlayground } from './usePlayground.ts'
import classes from './VisitorWindow.module.css'

/** What a visitor sees on your site, played by whoever is signed in. */
export default function VisitorWindow() {
  const { workspace } = useWorkspace()
  const { talk, setTalk, close } = usePlayground()
  return (
    <section className={classes.window} aria-label="Talk as a visitor">
      <header className={classes.header}>
        <div>
          <h2 className={classes.title}>{workspace.name}</h2>
          <p className={classes.subtitle}>{talk === null ? 'Visitor view' : `You are ${talk.visitor}`}</p>
        </div>
        <div className={classes.actions}>
          {talk !== null && (
            <Tooltip label="Switch visitor">
              <ActionIcon variant="subtle" color="gray" aria-label="Switch visitor" onClick={() => setTalk(null)}>
                <SquarePen size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
          <CloseButton aria-label="Close" onClick={close} />
        </div>
      </header>
      <NobodyAnswers />
      {talk === null ? (
        <Begin onBegun={setTalk} />
      ) : (
        <Talk key={talk.conversationId} conversationId={talk.conversationId} visitor={talk.visitor} />
      )}
    </section>
  )
}
