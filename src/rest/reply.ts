import { Reply, reply } from '../domain/messages/reply.ts'
import { setTyping, Typing } from '../domain/messages/typing.ts'
import { type Route, route } from './route.ts'
import * as shapes from './shapes.ts'

export const replyRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/agent/reply',
    summary: 'Answer as a bot, unless a person is assigned or the conversation is closed',
    needs: 'READ_WRITE',
    body: Reply,
    answer: shapes.ReplyResult,
    async handle({ deps, actor, body }) {
      const { skipped, ...result } = await reply(deps, await actor(), body)
      return { data: skipped ? { skipped, ...result } : result }
    },
  }),
  route({
    method: 'POST',
    path: '/agent/typing',
    summary: 'Say that the agent is typing, or has stopped',
    needs: 'READ_WRITE',
    body: Typing,
    answer: shapes.Done,
    async handle({ deps, actor, body }) {
      await setTyping(deps, await actor(), body)
      return { data: { ok: true } }
    },
  }),
]
