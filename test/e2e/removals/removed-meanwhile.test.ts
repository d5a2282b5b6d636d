import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../../../src/infra/secrets.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { routes } from '../../../src/rest/app.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { type Outcome, type World, WRITES, type Write } from './removal-writes.ts'
import { newWorld, REMOVALS, type Removal } from './removals.ts'

// Every operation that removes something, against every operation that writes, at the same moment.

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())

test('every operation of REST and GraphQL that changes something removes or writes here', () => {
  const rest = routes.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`)
  const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {})
  const known = [...REMOVALS, ...WRITES].map(({ name }) => name)
  expect([...new Set(known)].sort()).toEqual([...rest, ...mutations].sort())
})

/** What a request may be answered whose ground is being taken away. */
const REFUSALS = ['bad_request', 'unauthorized', 'forbidden', 'not_found', 'conflict']

const ROUNDS = 2

test.each(REMOVALS)('$name', { timeout: 120_000 }, async (removal) => {
  for (let round = 0; round < ROUNDS; round++) {
    const world = await newWorld(guddesk)
    const answered = await race(world, removal, round)
    expect(answered.filter((answer) => !accepted(removal, answer).includes(answer.outcome.code))).toEqual([])
    if (!removal.takes.includes('workspace')) await expectStored(answered)
  }
})

/** The codes that a request may be answered. */
function accepted({ takes }: Removal, { write, by }: Answered): readonly string[] {
  const isHit = by === 'doomed' || takes.includes('workspace') || write.needs.some((kind) => takes.includes(kind))
  if (isHit) return ['ok', ...REFUSALS]
  // Others that write at the same moment may be in the way, but never of a message.
  return write.message ? ['ok'] : ['ok', 'conflict']
}

interface Answered {
  readonly write: Write
  readonly by: 'owner' | 'doomed'
  readonly outcome: Outcome
}

/** All writes at once, and the removal after some of them, others in each round. */
async function race(world: World, removal: Removal, round: number): Promise<Answered[]> {
  const doomed = removal.doomed?.(world)
  const sends = WRITES.flatMap((write) => {
    const owner = { write, by: 'owner' as const, key: write.key?.(world) ?? world.owner }
    return doomed === undefined || write.key !== undefined
      ? [owner]
      : [owner, { write, by: 'doomed' as const, key: doomed }]
  })
  // Another order in each round, without chance.
  const rank = ({ write, by }: (typeof sends)[number]) => sha256(`${WRITES.indexOf(write)} ${by} ${round}`)
  const shuffled = sends.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1))
  const at = Math.floor((sends.length * (round + 1)) / (ROUNDS + 1))
  let removing: Promise<Outcome> | undefined
  const answers = shuffled.map((send, i) => {
    if (i === at) removing = removal.run(world)
    return send.write.run(world, send.key).then((outcome) => ({ ...send, outcome }))
  })
  const answered = await Promise.all(answers)
  const isBeaten = answered.some(({ write, outcome }) => write.name === removal.rival && outcome.code === 'ok')
  expect(await removing).toMatchObject({ code: isBeaten ? expect.stringMatching(/^(ok|not_found)$/) : 'ok' })
  return answered
}

async function expectStored(answered: readonly Answered[]): Promise<void> {
  const ids = answered.flatMap(({ outcome: { messageId } }) => (messageId === undefined ? [] : [messageId]))
  expect(await guddesk.deps.db.prisma.message.count({ where: { id: { in: ids } } })).toBe(ids.length)
}
