import { expect, test } from 'vitest'
import { bisect } from '../../../src/infra/database/bisect.ts'
import { isRefused, sqlState } from '../../../src/infra/database/db-away.ts'

const refusal = (code = '22P05') => Object.assign(new Error('refused'), { code })

test.each(Array.from({ length: 9 }, (_, i) => i))(
  'of nine rows, the refused one (%i) is set aside alone',
  async (bad) => {
    const done: number[] = []
    const aside: number[] = []
    let calls = 0
    await bisect(
      Array.from({ length: 9 }, (_, i) => i),
      async (some) => {
        calls++
        if (some.includes(bad)) throw refusal()
        done.push(...some)
      },
      (row) => void aside.push(row),
    )
    expect(aside).toEqual([bad])
    expect(done).toEqual(Array.from({ length: 9 }, (_, i) => i).filter((i) => i !== bad))
    expect(calls).toBeLessThanOrEqual(9)
  },
)

test('anything else ends it: a database that is away refuses no row', async () => {
  const error = Object.assign(new Error('gone'), { code: '57P01' })
  const work = async () => {
    throw error
  }
  await expect(bisect([1, 2], work, () => expect.unreachable())).rejects.toBe(error)
  await bisect([], work, () => expect.unreachable())
})

test.each([
  ['22P05', true],
  ['23514', true],
  ['54000', true],
  ['P0001', true],
  ['XX001', true],
  ['57P01', false],
  ['40P01', false],
  ['42703', false],
  ['53100', false],
  ['P2010', false],
])('%s is a refusal: %s, also within what Prisma throws', (code, is) => {
  const wrapped = { code: 'P2010', meta: { driverAdapterError: { cause: { originalCode: code } } } }
  for (const error of [refusal(code), wrapped]) {
    expect(isRefused(error)).toBe(is)
    expect(sqlState(error)).toBe(is ? code : null)
  }
})
