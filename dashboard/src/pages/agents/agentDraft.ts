import { DEFAULT_EVENTS } from '../../endpoints/eventTypes.ts'
import { urlFault } from '../../endpoints/webhookUrl.ts'
import type { AgentFieldsFragment, SubscribableEvent } from '../../generated/documents.ts'

/** What somebody has typed. */
export interface AgentDraft {
  readonly name: string
  readonly description: string
  readonly webhookUrl: string
  readonly events: readonly SubscribableEvent[]
  readonly ignoreOwnEvents: boolean
  readonly iconUrl: string
  readonly creatorName: string
  readonly creatorUrl: string
  /** JSON. */
  readonly config: string
}

/** Fields of the form that the server may name. */
export const AGENT_PATHS = ['name', 'description', 'webhookUrl', 'iconUrl', 'creatorName', 'creatorUrl', 'config']

export const NEW_AGENT: AgentDraft = {
  name: '',
  description: '',
  webhookUrl: '',
  events: DEFAULT_EVENTS,
  ignoreOwnEvents: false,
  iconUrl: '',
  creatorName: '',
  creatorUrl: '',
  config: '{}',
}

/** The webhook endpoints of an agent, the installed one first. */
export function endpointsOf({ webhookEndpoints }: Pick<AgentFieldsFragment, 'webhookEndpoints'>) {
  return webhookEndpoints?.edges.map(({ node }) => node) ?? []
}

export function draftOf(agent: AgentFieldsFragment): AgentDraft {
  const [endpoint] = endpointsOf(agent)
  return {
    name: agent.name,
    description: agent.description ?? '',
    webhookUrl: endpoint?.url ?? '',
    events: endpoint?.events ?? DEFAULT_EVENTS,
    ignoreOwnEvents: agent.ignoreOwnEvents,
    iconUrl: agent.iconUrl ?? '',
    creatorName: agent.creatorName ?? '',
    creatorUrl: agent.creatorUrl ?? '',
    config: JSON.stringify(agent.config, null, 2),
  }
}

/** What is sent: what is empty is cleared. */
export function inputOf({ iconUrl, creatorUrl, config, ...draft }: AgentDraft) {
  return {
    ...draft,
    iconUrl: iconUrl.trim() || null,
    creatorUrl: creatorUrl.trim() || null,
    config: JSON.parse(config || '{}'),
  }
}

/** Whether it can be sent. */
export function isComplete(draft: AgentDraft, isDevelopment: boolean): boolean {
  const { name, webhookUrl, iconUrl, creatorUrl, config } = draft
  const faults = [urlFault(webhookUrl, isDevelopment), linkFault(iconUrl), linkFault(creatorUrl), configFault(config)]
  return name.trim() !== '' && faults.every((fault) => fault === null)
}

/** What is wrong with the address of an icon or a website; null when nothing is, and when it is empty. */
export function linkFault(text: string): string | null {
  if (text.trim() === '') return null
  const isLink = URL.canParse(text.trim()) && /^https?:$/.test(new URL(text.trim()).protocol)
  return isLink ? null : 'Enter a full URL that starts with https://'
}

/** What is wrong with a configuration; null when nothing is. */
export function configFault(text: string): string | null {
  if (text.trim() === '') return null
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? null : 'Enter a JSON object, such as {"tone": "friendly"}'
  } catch (error) {
    return error instanceof Error ? `Invalid JSON: ${error.message}` : 'Invalid JSON'
  }
}
