import { getDispatchState } from '../domain/deliveries/dispatch-state.ts'
import { builder } from '../schema/builder.ts'
import { DispatchState } from '../schema/dispatch-state.ts'

builder.queryField('dispatchState', (t) =>
  t.field({
    type: DispatchState,
    description:
      'The current backlog of the webhook deliveries of the workspace. The key of an agent only sees its own endpoints.',
    resolve: (_root, _args, { deps, actor }) => getDispatchState(deps, actor()),
  }),
)
