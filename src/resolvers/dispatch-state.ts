import { getDispatchState } from '../domain/deliveries/dispatch-state.ts'
import { builder } from '../schema/builder.ts'
import { DispatchState } from '../schema/dispatch-state.ts'

builder.queryField('dispatchState', (t) =>
  t.field({
    type: DispatchState,
    description: "How the workspace's webhooks are getting on now. An agent's key is told of its own endpoints.",
    resolve: (_root, _args, { deps, actor }) => getDispatchState(deps, actor()),
  }),
)
