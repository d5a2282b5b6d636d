import { expect, test } from 'vitest'
import { pendingForPrisma, schemaDrift, withMigratedDatabase } from '../../../prisma/engine.ts'

test('the migrations lead to schema.prisma exactly, and Prisma sees nothing left to apply', async () => {
  await withMigratedDatabase(async (pglite) => {
    expect(await schemaDrift(pglite)).toBeNull()
    expect(await pendingForPrisma(pglite)).toEqual([])
  })
})
