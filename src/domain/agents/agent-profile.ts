import { z } from 'zod'
import type { Agent } from '../../generated/prisma/client.ts'
import type { Actor } from '../shared/actor.ts'
import { isNeighbour } from '../shared/authorization.ts'
import { type Field, fieldOf } from '../shared/field.ts'
import { clearableText, jsonObject, text, webUrl } from '../shared/input.ts'

/**
 * The columns of an agent that clients write and read as they are. Each is declared here only: the inputs and answers of
 * REST and GraphQL, and what other agents may see, follow. `test/repo/schema/one-field.isolated.test.ts` checks that.
 */
export const AgentProfile = z.object({
  name: text(100).describe('The display name, 1 to 100 characters.'),
  description: clearableText(1000).optional().describe('The description of the agent, at most 1,000 characters.'),
  config: jsonObject
    .optional()
    .describe('Custom data, an object of at most 16 kB. An update replaces the existing object.'),
  priority: z
    .int32()
    .optional()
    .describe(
      'The rank among the agents of the workspace, higher first. A hint for people: it does not affect deliveries.',
    ),
  iconUrl: webUrl.optional().describe('The http(s) URL of a picture of the agent.'),
  creatorName: clearableText(100).optional().describe('The name of the creator of the agent, at most 100 characters.'),
  creatorUrl: webUrl.optional().describe('The http(s) URL of a page about the creator.'),
  ignoreOwnEvents: z
    .boolean()
    .optional()
    .describe('Whether the endpoints of the agent receive no events that the agent caused itself. False by default.'),
})

/** Empty values for the private columns: nullable texts and JSON. New columns of these kinds are private by default. */
const HIDDEN: Partial<Agent> = Object.fromEntries(
  Object.entries(AgentProfile.shape).flatMap(([name, schema]): [string, unknown][] => {
    const { kind, isNullable } = fieldOf(schema)
    if (kind === 'json') return [[name, {}]]
    return isNullable ? [[name, null]] : []
  }),
)

/** What the answers of both APIs say of a private column. */
export function privacyNote({ kind, isNullable }: Field): string {
  if (kind === 'json') return 'Empty for the key of another agent.'
  return isNullable ? 'Null when there is none, and for the key of another agent.' : ''
}

/**
 * An agent as an actor can see it. The key of another agent sees the name, the state and the times, but no text or data
 * that people entered: it can contain secrets.
 */
export function seenBy<Row extends Agent>(actor: Actor, agent: Row): Row {
  return isNeighbour(actor, agent.id) ? { ...agent, ...HIDDEN } : agent
}
