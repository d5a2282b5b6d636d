import { z } from 'zod'
import type { Collection } from '../../generated/prisma/client.ts'
import { inTransaction } from '../../infra/database/transaction.ts'
import { recordAudit } from '../audit/audit.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { NotFoundError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { changesSomething, clearableText, omitUndefined, parse, requireId, text } from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'

/**
 * The columns of a collection that clients can write and read. The inputs and the object of GraphQL are derived from
 * them.
 */
export const CollectionInput = z.object({
  name: text(100).describe('The name, 1 to 100 characters.'),
  description: clearableText(1000).optional().describe('The description, at most 1,000 characters. Null for none.'),
})

export const CollectionPatch = CollectionInput.partial().refine(...changesSomething)

/** The collections of the workspace, newest first. */
export async function listCollections(deps: Deps, actor: Actor, page: PageRequest): Promise<Page<Collection>> {
  requireLevel(actor, 'READ_ONLY')
  const where = { workspaceId: actor.workspaceId }
  const { collection } = deps.db.prisma
  return newestFirst(page, {
    find: (range) => collection.findMany({ ...range, where: { ...where, ...range.where } }),
    count: () => collection.count({ where }),
  })
}

/** @throws ForbiddenError below READ_WRITE; ValidationError */
export async function createCollection(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof CollectionInput>,
): Promise<Collection> {
  requireLevel(actor, 'READ_WRITE')
  const { name, description = null } = parse(CollectionInput, input)
  const data = { id: newId('collection'), workspaceId: actor.workspaceId, name, description }
  return inTransaction(deps, (tx) => tx.db.collection.create({ data: { ...data, createdAt: deps.clock.now() } }))
}

/** @throws NotFoundError, ValidationError */
export async function updateCollection(
  deps: Deps,
  actor: Actor,
  id: string,
  input: z.input<typeof CollectionPatch>,
): Promise<Collection> {
  requireLevel(actor, 'READ_WRITE')
  requireId('collection', id, 'Collection')
  const data = omitUndefined(parse(CollectionPatch, input))
  const where = { id, workspaceId: actor.workspaceId }
  const [collection] = await inTransaction(deps, (tx) => tx.db.collection.updateManyAndReturn({ where, data }))
  if (collection === undefined) throw new NotFoundError('Collection')
  return collection
}

/**
 * Removes a collection. Its articles stay, without a collection.
 * @throws NotFoundError; ForbiddenError below FULL_ACCESS
 */
export async function deleteCollection(deps: Deps, actor: Actor, id: string): Promise<void> {
  requireLevel(actor, 'FULL_ACCESS')
  requireId('collection', id, 'Collection')
  const { workspaceId } = actor
  await inTransaction(deps, async (tx) => {
    // Locked first: an article that is added meanwhile waits, and then finds the collection removed.
    const [found] = await tx.db.$queryRaw<{ name: string }[]>`
      SELECT name FROM collections WHERE id = ${id} AND workspace_id = ${workspaceId} FOR UPDATE`
    if (found === undefined) throw new NotFoundError('Collection')
    await tx.db.article.updateMany({ where: { collectionId: id }, data: { collectionId: null } })
    await tx.db.collection.delete({ where: { id } })
    const target = { type: 'collection', id, name: found.name } as const
    await recordAudit(tx, actor, { action: 'collection.deleted', target, at: deps.clock.now() })
  })
}
