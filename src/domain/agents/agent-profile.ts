import { z } from 'zod'
import type { Agent } from '../../generated/prisma/client.ts'
import type { Actor } from '../shared/actor.ts'
import { isNeighbour } from '../shared/authorization.ts'
import { fieldOf } from '../shared/field.ts'
import { clearableText, jsonObject, text, webUrl } from '../shared/input.ts'

/**
 * The columns of an agent that clients write and read as they are. Each is declared here only: the inputs and answers of
 * REST and GraphQL, and what other agents may see, follow. `test/repo/one-field.test.ts` checks that.
 */
export const AgentProfile = z.object({
  name: text(100).describe('Display name.'),
  description: clearableText(1000).optional().describe('What the agent does.'),
  config: jsonObject
    .optional()
    .describe('JSON object of at most 16 kB that the agent keeps here. An update replaces it.'),
  priority: z.int32().optional().describe('Position in the list, higher first.'),
  iconUrl: webUrl.optional().describe('Picture of the agent: an http(s) URL.'),
  creatorName: clearableText(100).optional().describe('Who made the agent.'),
  creatorUrl: webUrl.optional().describe("The maker's page: an http(s) URL."),
  ignoreOwnEvents: z
    .boolean()
    .optional()
    .describe('Whether its endpoints are spared the events that it caused itself; false for a new agent.'),
})

/** The private columns, emptied: texts that can be cleared, and JSON. A new column of these kinds starts private. */
const HIDDEN: Partial<Agent> = Object.fromEntries(
  Object.entries(AgentProfile.shape).flatMap(([name, schema]): [string, unknown][] => {
    const { kind, isNullable } = fieldOf(schema)
    if (kind === 'json') return [[name, {}]]
    return isNullable ? [[name, null]] : []
  }),
)

/**
 * An agent as an actor may see it. Another agent's key sees what it is called, whether it works and since when, and
 * nothing that people wrote about it, keep in it, or that says where it is: such texts carry tokens.
 */
export function seenBy<Row extends Agent>(actor: Actor, agent: Row): Row {
  return isNeighbour(actor, agent.id) ? { ...agent, ...HIDDEN } : agent
}
