import type { GraphQLResolveInfo } from 'graphql'
import { SYSTEM } from '../domain/events/events.ts'
import { type ActorRef, keptName } from '../domain/shared/actor.ts'
import { type IdKind, kindOfId } from '../domain/shared/ids.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { selectedFields } from './field-selection.ts'

/** What every actor is at least: the types that implement the interface have rows of their own. */
interface AnyActor {
  readonly id: string
}

interface Unavailable extends AnyActor {
  readonly name: string
  readonly isUnavailable: true
}

/** The types whose actors have rows, by the kinds of their ids. */
const TYPES: Partial<Record<IdKind, string>> = {
  visitor: 'Visitor',
  member: 'Member',
  agent: 'Agent',
  apiKey: 'ApiKey',
  user: 'User',
}

function typeOf(actor: AnyActor): string {
  if ('isUnavailable' in actor) return 'UnavailableActor'
  const kind = kindOfId(actor.id)
  return (kind && TYPES[kind]) ?? 'SystemActor'
}

/** Who did something. A type implements it with `interfaces: [Actor]` and its own `displayName`; TYPES names it. */
export const Actor = builder.interfaceRef<AnyActor>('Actor').implement({
  description:
    'Someone or something that acts: a visitor, a member, an agent, an API key, GudDesk itself, or a user outside of a workspace.',
  resolveType: typeOf,
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'The id of the visitor, member, agent, API key or user; `system` for GudDesk itself.',
    }),
    displayName: t.string({ description: 'The name to show for the actor. Never empty.' }),
  }),
})

builder.objectRef<ActorRef>('SystemActor').implement({
  interfaces: [Actor],
  description: 'GudDesk itself: rules, timers and the dispatcher, which act without a request.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Always `system`.' }),
    displayName: t.exposeString('name', { description: 'Always `GudDesk`.' }),
  }),
})

builder.objectRef<Unavailable>('UnavailableActor').implement({
  interfaces: [Actor],
  description: 'An actor that was removed, or that the caller cannot see.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the actor. Its prefix names the type.' }),
    displayName: t.exposeString('name', {
      description:
        'The name that was recorded with the action, so it can differ between actions. The kind of the actor, such as `Visitor`, when none was recorded.',
    }),
  }),
})

/** An actor as it was recorded with what it did. */
export interface RecordedActor {
  readonly id: string
  /** Null when no name was recorded. */
  readonly name: string | null
}

/**
 * The value of a field of the type `Actor`. Any number of them cost one statement.
 * @returns the row of the actor; for one that was removed, that is of another workspace, or that the caller may not see, an
 *   UnavailableActor with the recorded id and name
 */
export async function resolveActor({ id, name }: RecordedActor, { loaders }: Context): Promise<AnyActor> {
  if (id === SYSTEM.id) return SYSTEM
  return (await loaders.actors.load(id)) ?? unavailable({ id, name })
}

function unavailable({ id, name }: RecordedActor): Unavailable {
  return { id, name: keptName(id, name), isUnavailable: true }
}

/** Fields that a present actor's reference has the values of. */
const NAMED = ['__typename', 'id', 'displayName']

/**
 * The same for an actor that was there a moment ago, as who makes a request: without a statement, where nothing but its id
 * and name is asked for.
 */
export async function resolvePresentActor(
  actor: ActorRef,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<AnyActor> {
  const { type, id, name } = actor
  // Not everybody sees an API key.
  const isSeen = type === 'member' || type === 'agent' || (type === 'api_key' && id === context.actor().id)
  const isNamed = selectedFields(info).names.every((field) => NAMED.includes(field))
  if (!isSeen || !isNamed) return resolveActor(actor, context)
  const row = { id, name, user: { name } }
  return row
}
