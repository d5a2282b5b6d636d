import type { Tag as TagOf } from '../domain/conversations/tags.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'

export const Tag = builder.objectRef<TagOf>('Tag').implement({
  description: 'A tag of conversations.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The tag, 1 to 50 characters. Tags of different case differ.' }),
    conversationCount: t.exposeInt('conversationCount', {
      description: 'The number of conversations with the tag, in any state.',
    }),
  }),
})

export const TagConnection = connectionOf(Tag, 'Tag')
