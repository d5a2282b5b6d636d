import { Tabs } from '@mantine/core'
import { listeningAt } from '../../endpoints/snippets.ts'
import { CodeBlock } from '../../ui/copy/CodeBlock.tsx'
import classes from './agents.module.css'
import { agentInCurl, agentInNode, agentInPython } from './quickstarts.ts'

interface QuickstartProps {
  readonly name: string
  readonly webhookUrl: string
  /** As long as they are known: they are shown once. */
  readonly credentials?: { readonly webhookSecret: string; readonly apiKey: string }
}

/** Small agents that work as they are, with this person's own values. */
export function Quickstart({ name, webhookUrl, credentials }: QuickstartProps) {
  const setup = { ...listeningAt(webhookUrl), origin: location.origin, name }
  const { webhookSecret = 'your-signing-secret', apiKey = 'your-api-key' } = credentials ?? {}
  const exports = `export GUDDESK_API_KEY=${apiKey}\nexport WEBHOOK_SECRET=${webhookSecret}`
  return (
    <Tabs defaultValue="node" keepMounted={false}>
      <Tabs.List aria-label="Quickstart">
        <Tabs.Tab value="node">Node</Tabs.Tab>
        <Tabs.Tab value="python">Python</Tabs.Tab>
        <Tabs.Tab value="curl">curl</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="node" className={classes.quickstart}>
        <CodeBlock label="agent.mjs" text={agentInNode(setup)} />
        <CodeBlock wrap label="commands" text={`${exports}\nnode agent.mjs`} />
      </Tabs.Panel>
      <Tabs.Panel value="python" className={classes.quickstart}>
        <CodeBlock label="agent.py" text={agentInPython(setup)} />
        <CodeBlock wrap label="commands" text={`${exports}\npython3 agent.py`} />
      </Tabs.Panel>
      <Tabs.Panel value="curl" className={classes.quickstart}>
        <CodeBlock wrap label="commands" text={`export GUDDESK_API_KEY=${apiKey}\n\n${agentInCurl(setup)}`} />
      </Tabs.Panel>
    </Tabs>
  )
}
