import type { DispatchState as DispatchStateOf } from '../domain/deliveries/dispatch-state.ts'
import { builder } from './builder.ts'

export const DispatchState = builder.objectRef<DispatchStateOf>('DispatchState').implement({
  description: "How the workspace's webhooks are getting on now.",
  fields: (t) => ({
    pending: t.exposeInt('pending', { description: 'Deliveries that are not finished, test events apart.' }),
    scheduled: t.exposeInt('scheduled', { description: 'Of these, those that wait for a time in the future.' }),
    held: t.exposeInt('held', { description: 'Of these, those whose endpoint or agent is disabled.' }),
    due: t.exposeInt('due', { description: 'Of these, the rest: they could be sent now, or are being sent.' }),
    oldestDueSeconds: t.exposeInt('oldestDueSeconds', {
      nullable: true,
      description: 'For how long the oldest of those could have been sent; null when there is none.',
    }),
    isBusConnected: t.exposeBoolean('isBusConnected', {
      description: "Whether this node's wake-ups reach the others. While they do not, what happens waits for a poll.",
    }),
  }),
})
