import { ActionIcon, Badge, CloseButton, CopyButton, Tooltip } from '@mantine/core'
import { Check, Copy } from 'lucide-react'
import type { Conversation } from '../../../conversations/useConversation.ts'
import { Face } from '../../../ui/Face.tsx'
import { Time } from '../../../ui/Time.tsx'
import { EarlierConversations } from './EarlierConversations.tsx'
import classes from './VisitorPanel.module.css'

interface VisitorPanelProps {
  readonly conversation: Conversation
  readonly onClose: () => void
}

/** Who the visitor is, what your system says about them, and what they wrote before. */
export function VisitorPanel({ conversation, onClose }: VisitorPanelProps) {
  const { visitor, tags, channel, createdAt } = conversation
  const name = visitor.displayName
  return (
    <aside className={classes.panel} aria-label="Visitor">
      <div className={classes.head}>
        <Face name={name} imageUrl={visitor.avatar} size={40} />
        <div className={classes.who}>
          <h2 className={classes.name}>{name}</h2>
          {visitor.email !== null && (
            <span className={classes.email}>
              <a href={`mailto:${visitor.email}`}>{visitor.email}</a>
              <CopyValue value={visitor.email} what="the email address" />
            </span>
          )}
        </div>
        <CloseButton aria-label="Hide the visitor" onClick={onClose} />
      </div>
      <dl className={classes.facts}>
        {visitor.externalId !== null && <Fact name="Your id" value={visitor.externalId} />}
        <dt>First seen</dt>
        <dd>
          <Time at={visitor.createdAt} />
        </dd>
        <dt>Conversation</dt>
        <dd>
          {CHANNELS[channel]}, <Time at={createdAt} />
        </dd>
        {Object.entries(objectOf(visitor.metadata)).map(([key, value]) => (
          <Fact key={key} name={key} value={typeof value === 'string' ? value : JSON.stringify(value)} />
        ))}
      </dl>
      {tags.length > 0 && (
        <ul className={classes.tags} aria-label="Tags">
          {tags.map((tag) => (
            <li key={tag}>
              <Badge variant="light" color="gray" tt="none">
                {tag}
              </Badge>
            </li>
          ))}
        </ul>
      )}
      <EarlierConversations visitorId={visitor.id} currentId={conversation.id} />
    </aside>
  )
}

const CHANNELS = { WIDGET: 'From the widget', API: 'Over the API', EMAIL: 'By email' } as const

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}

function CopyValue({ value, what }: { readonly value: string; readonly what: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : `Copy ${what}`}>
          <ActionIcon variant="subtle" color="gray" size="xs" onClick={copy} aria-label={`Copy ${what}`}>
            {copied ? <Check size={12} aria-hidden /> : <Copy size={12} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  )
}

function objectOf(json: unknown): Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : {}
}
