import { builder } from './builder.ts'

/** The one way in which inputs name a span of time. */
export const TimeRange = builder.inputType('TimeRange', {
  description: 'A span of time. A limit that is left out does not apply.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'The start, inclusive. No limit by default.' }),
    to: t.field({ type: 'DateTime', description: 'The end, exclusive. No limit by default.' }),
  }),
})
