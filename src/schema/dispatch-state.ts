import type { DispatchState as DispatchStateOf } from '../domain/deliveries/dispatch-state.ts'
import { builder } from './builder.ts'

export const DispatchState = builder.objectRef<DispatchStateOf>('DispatchState').implement({
  description: 'The current backlog of the webhook deliveries of a workspace. Test events are not counted.',
  fields: (t) => ({
    pending: t.exposeInt('pending', {
      description: 'The number of pending deliveries: the sum of `scheduled`, `held` and `due`.',
    }),
    scheduled: t.exposeInt('scheduled', {
      description: 'The number of pending deliveries whose next attempt is in the future.',
    }),
    held: t.exposeInt('held', { description: 'The number of pending deliveries whose endpoint or agent is disabled.' }),
    due: t.exposeInt('due', {
      description: 'The number of pending deliveries that can be sent now or are being sent.',
    }),
    oldestDueSeconds: t.exposeInt('oldestDueSeconds', {
      nullable: true,
      description:
        'The age of the oldest delivery in `due`, in seconds since it could be sent. Null when there is none.',
    }),
  }),
})
