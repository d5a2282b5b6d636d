import { timeRange } from '../domain/shared/input.ts'
import { builder } from './builder.ts'
import { inputFields } from './fields.ts'

/** The one way in which inputs name a span of time. */
export const TimeRange = builder.inputType('TimeRange', {
  description: 'A span of time. A limit that is left out does not apply.',
  // Not `after`: it is for the names of REST.
  fields: (t) => inputFields(t, timeRange.pick({ from: true, to: true }).shape),
})
