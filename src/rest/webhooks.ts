import { z } from 'zod'
import { requireWebhookManager } from '../domain/shared/authorization.ts'
import { RegisterEndpoint } from '../domain/webhooks/endpoint-input.ts'
import { registerEndpoint } from '../domain/webhooks/register-endpoint.ts'
import { UnregisterEndpoint, unregisterEndpoint } from '../domain/webhooks/unregister-endpoint.ts'
import { listEndpoints } from '../domain/webhooks/webhook-endpoints.ts'
import type { WebhookEndpoint } from '../generated/prisma/client.ts'
import { listResponse, type Route, route } from './route.ts'
import * as shapes from './shapes.ts'

export const webhookRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/agent/webhooks',
    summary: 'List webhook endpoints, without their secrets.',
    needs: 'READ_ONLY',
    response: z.array(shapes.WebhookEndpoint),
    async handle({ deps, actor, page }) {
      return listResponse(await listEndpoints(deps, await actor(), page), page, showEndpoint)
    },
  }),
  route({
    method: 'POST',
    path: '/agent/webhooks',
    summary: 'Register a webhook URL. A URL that is already registered returns the existing endpoint and secret.',
    needs: 'READ_WRITE',
    authorize: requireWebhookManager,
    body: RegisterEndpoint,
    response: shapes.Registration,
    statuses: [200, 201],
    async handle({ deps, actor, body }) {
      const { status, resumed, endpoint, secret, nextSecret } = await registerEndpoint(deps, await actor(), body)
      const { id, url, isEnabled, secretOverlapEndsAt } = endpoint
      const rotation = nextSecret === null ? {} : { nextSecret, secretEndsAt: secretOverlapEndsAt }
      const again = resumed ? { resumed } : {}
      const data = {
        status,
        ...again,
        endpoint: { id, url, secret, ...rotation, isEnabled, events: showFlags(endpoint) },
      }
      return { status: status === 'created' ? 201 : 200, data }
    },
  }),
  route({
    method: 'DELETE',
    path: '/agent/webhooks',
    summary: 'Unregister a webhook endpoint by url or endpointId. The endpoint is kept for 24 hours.',
    needs: 'READ_WRITE',
    body: UnregisterEndpoint,
    response: shapes.Deleted,
    async handle({ deps, actor, body }) {
      await unregisterEndpoint(deps, await actor(), body)
      return { data: { deleted: true } }
    },
  }),
]

export const showFlags = shapes.shown(shapes.EventFlags)
const showFields = shapes.shown(shapes.WebhookEndpoint)

function showEndpoint(endpoint: WebhookEndpoint) {
  return showFields({ ...endpoint, events: showFlags(endpoint) })
}
