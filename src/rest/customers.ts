import { z } from 'zod'
import { email, omitUndefined } from '../domain/shared/input.ts'
import {
  getVisitor,
  listVisitors,
  updateVisitor,
  upsertVisitor,
  VisitorFilter,
  VisitorInput,
  VisitorPatch,
} from '../domain/visitors/visitors.ts'
import { showSummary } from './conversations.ts'
import { listResponse, type Route, route } from './route.ts'
import * as shapes from './shapes.ts'

const { externalId, text: q } = VisitorFilter.shape
const Query = z
  .object({
    email: email.describe('Customers with this email address. Ignores case.'),
    externalId: externalId.unwrap().describe('The customer with this externalId, 1 to 255 characters. Case-sensitive.'),
    q: q.unwrap().describe('A text, 1 to 200 characters, in the name, email address or externalId. Ignores case.'),
  })
  .partial()

const showCustomer = shapes.shown(shapes.Customer)

/** Visitors, by the name that the contract gives them. */
export const customerRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/customers',
    summary: 'List customers, newest first.',
    needs: 'READ_ONLY',
    query: Query,
    response: z.array(shapes.Customer),
    async handle({ deps, actor, query: { email: address, q, externalId }, page }) {
      const filter = omitUndefined({ email: address === undefined ? undefined : { is: address }, externalId, text: q })
      return listResponse(await listVisitors(deps, await actor(), filter, page), page, showCustomer)
    },
  }),
  route({
    method: 'POST',
    path: '/v1/customers',
    summary: 'Create a customer, or update the customer with the same externalId.',
    needs: 'READ_WRITE',
    body: VisitorInput,
    response: shapes.Customer,
    statuses: [200, 201],
    async handle({ deps, actor, body }) {
      const { visitor, created } = await upsertVisitor(deps, await actor(), body)
      return { status: created ? 201 : 200, data: showCustomer(visitor) }
    },
  }),
  route({
    method: 'GET',
    path: '/v1/customers/:id',
    summary: 'Retrieve a customer with their 10 most recently active conversations.',
    needs: 'READ_ONLY',
    response: shapes.CustomerWithConversations,
    async handle({ deps, actor, id }) {
      const visitor = await getVisitor(deps, await actor(), id)
      return { data: { ...showCustomer(visitor), conversations: visitor.conversations.map(showSummary) } }
    },
  }),
  route({
    method: 'PATCH',
    path: '/v1/customers/:id',
    summary: 'Update a customer.',
    needs: 'READ_WRITE',
    body: VisitorPatch,
    response: shapes.Customer,
    async handle({ deps, actor, id, body }) {
      return { data: showCustomer(await updateVisitor(deps, await actor(), id, body)) }
    },
  }),
]
