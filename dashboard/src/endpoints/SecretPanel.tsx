import { Button, Tabs } from '@mantine/core'
import type { ReactNode } from 'react'
import { CodeBlock } from '../ui/copy/CodeBlock.tsx'
import { CopyField } from '../ui/copy/CopyField.tsx'
import { useStay } from '../ui/forms/useStay.ts'
import classes from './dialogs.module.css'
import { listeningAt, receiverInNode, receiverInPython } from './snippets.ts'

interface SecretPanelProps {
  readonly url: string
  readonly secret: string
  /** What else there is to say. */
  readonly note?: ReactNode
  readonly onSaved: () => void
}

/** A signing secret, this once, and a receiver that verifies with it. */
export function SecretPanel({ url, secret, note, onSaved }: SecretPanelProps) {
  const letGo = useStay()
  const listening = listeningAt(url)
  return (
    <div className={classes.form}>
      <p>Store it where your receiver can read it. It is shown only once. If you lose it, rotate it.</p>
      {note}
      <CopyField label="Signing secret" value={secret} />
      <Tabs defaultValue="node" keepMounted={false}>
        <Tabs.List aria-label="A receiver that verifies signatures">
          <Tabs.Tab value="node">Node</Tabs.Tab>
          <Tabs.Tab value="python">Python</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="node" pt="sm">
          <CodeBlock label="receiver.mjs" text={receiverInNode(listening)} />
          <p className={classes.dim}>Run it:</p>
          <CodeBlock label="command" wrap text={`WEBHOOK_SECRET=${secret} node receiver.mjs`} />
        </Tabs.Panel>
        <Tabs.Panel value="python" pt="sm">
          <CodeBlock label="receiver.py" text={receiverInPython(listening)} />
          <p className={classes.dim}>Run it:</p>
          <CodeBlock label="command" wrap text={`WEBHOOK_SECRET=${secret} python3 receiver.py`} />
        </Tabs.Panel>
      </Tabs>
      <div className={classes.actions}>
        <Button
          onClick={() => {
            letGo()
            onSaved()
          }}
        >
          I have saved the secret
        </Button>
      </div>
    </div>
  )
}
