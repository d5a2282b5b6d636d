import type { Actor, ActorRef } from '../shared/actor.ts'
import { isNeighbour } from '../shared/authorization.ts'
import type { LoggedEvent } from './event-position.ts'
import type { EventData, EventType } from './events.ts'

/** What an event says: the fields of its type, then who caused it. */
export type DataOf<Type extends EventType> = EventData[Type] & { readonly actor: ActorRef }

/** By event: one that many follow, or of which many fields are selected, is parsed once. */
const parsed = new WeakMap<LoggedEvent, unknown>()

/** The `data` of an event's body, in the body's key order. Shared: not to be changed. */
export function dataOf<Type extends EventType>(event: LoggedEvent<Type>): DataOf<Type> {
  const data: unknown = parsed.get(event) ?? JSON.parse(event.body).data
  parsed.set(event, data)
  // The body was made of it.
  return data as DataOf<Type>
}

export function isOfType<Type extends EventType>(event: LoggedEvent, type: Type): event is LoggedEvent<Type> {
  return event.type === type
}

type EndpointEventType = 'endpoint.disabled' | 'endpoint.failing'

/** Whether an event of an endpoint says all that it has to the actor: where neighbours are reached is not for an agent. */
export function maySeeEndpoint(asking: Actor, event: LoggedEvent<EndpointEventType>): boolean {
  // Events of earlier times do not name the agent.
  const { agentId = null }: Partial<DataOf<EndpointEventType>> = dataOf(event)
  return !isNeighbour(asking, agentId)
}

/** An event's data as an actor may see it. */
export function dataVisibleTo(asking: Actor, event: LoggedEvent): object {
  const isOfEndpoint = isOfType(event, 'endpoint.disabled') || isOfType(event, 'endpoint.failing')
  if (!isOfEndpoint || maySeeEndpoint(asking, event)) return dataOf(event)
  const { endpointId, workspaceId, actor } = dataOf(event)
  return { endpointId, workspaceId, actor }
}
