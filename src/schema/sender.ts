import { kindOfId } from '../domain/shared/ids.ts'
import { Agent } from './agent.ts'
import { ApiKey } from './api-key.ts'
import { builder } from './builder.ts'
import { Visitor } from './visitor.ts'
import { Member } from './workspace.ts'

/** The types of a message's author. */
export const Sender = builder.unionType('Sender', {
  description: 'The author of a message: a visitor, a member, an agent or an API key.',
  types: [Visitor, Member, Agent, ApiKey],
  resolveType: ({ id }) => {
    switch (kindOfId(id)) {
      case 'visitor':
        return Visitor
      case 'member':
        return Member
      case 'agent':
        return Agent
      default:
        return ApiKey
    }
  },
})
