import { Reply, reply } from '../domain/messages/reply.ts'
import { setTyping, Typing } from '../domain/messages/typing.ts'
import { type Route, route } from './route.ts'
import * as shapes from './shapes.ts'

export const replyRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/agent/reply',
    summary: 'Reply as an agent. The reply is skipped if the conversation is assigned or closed.',
    needs: 'READ_WRITE',
    body: Reply,
    response: shapes.ReplyResult,
    async handle({ deps, actor, body }) {
      const result = await reply(deps, await actor(), body)
      const { conversationId } = result
      return { data: result.skipped ? result : { messageId: result.message.id, conversationId } }
    },
  }),
  route({
    method: 'POST',
    path: '/agent/typing',
    summary: 'Show or hide the typing indicator of an agent.',
    needs: 'READ_WRITE',
    body: Typing,
    response: shapes.Done,
    async handle({ deps, actor, body }) {
      await setTyping(deps, await actor(), body)
      return { data: { ok: true } }
    },
  }),
]
