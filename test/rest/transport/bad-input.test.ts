import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { routeNamed, send } from '../contract-routes.ts'
import { census, makeObjects, type Objects } from '../objects.ts'

let guddesk: TestGudDesk
let objects: Objects

beforeAll(async () => {
  guddesk = await startGudDesk()
  objects = await makeObjects(guddesk)
})

afterAll(() => guddesk?.stop())

const NUL = 'a\u0000b'
const SURROGATES = ['a\ud800b', '\udfff', '\udc00\ud800']
const DEEP = '['.repeat(100) + ']'.repeat(100)

/** Values, as JSON text, that no field of the kind takes. */
const WRONG = {
  text: ['5', 'true', '[]', '["text"]', '{}', '{"length":3}', '1e400', DEEP, ...[NUL, ...SURROGATES].map(quote)],
  choice: ['5', 'null', 'true', '[]', '["OPEN"]', '{}', '""', '"OTHER"', '"__proto__"', DEEP, quote(NUL)],
  whole: ['"1"', '1.5', 'null', 'true', '[]', '[1]', '{}', '1e400', '-1e400', '1e300', '99999999999999999999', DEEP],
  flag: ['"true"', '1', '0', 'null', '[]', '{}', DEEP],
  time: ['5', 'true', '[]', '{}', '"soon"', '""', '"2026-02-30T00:00:00Z"', '1e400', DEEP, quote(NUL)],
  list: ['5', 'null', '"text"', '{}', '{"0":"x"}', '[5]', '[null]', '[[]]', DEEP, `[${quote(NUL)}]`, '["\\ud800"]'],
  object: ['5', 'null', '"text"', '[]', 'true', `{"a":${DEEP}}`, `{"a":${quote(NUL)}}`, `{${quote(NUL)}:1}`],
  url: ['5', 'true', '[]', '{}', '"nothing"', '"javascript:alert(1)"', DEEP, quote(NUL), '"https://x.com/\\ud800"'],
}

const PROFILE = {
  name: 'text',
  webhookUrl: 'url',
  description: 'text',
  events: 'flags',
  'events.onMessageCreated': 'flag',
  'events.onConversationCreated': 'flag',
  'events.onConversationClosed': 'flag',
  'events.onConversationAssigned': 'flag',
  config: 'object',
  priority: 'whole',
  iconUrl: 'url',
  creatorName: 'text',
  creatorUrl: 'url',
} as const

const CUSTOMER = { externalId: 'text', name: 'text', email: 'text', avatarUrl: 'url', metadata: 'object' } as const

/** Each route with a body, and the kinds of its fields. */
const FIELDS: Record<string, Record<string, keyof typeof WRONG | 'flags'>> = {
  'POST /v1/conversations': { visitorId: 'text', subject: 'text', message: 'text' },
  'PATCH /v1/conversations/:id': {
    status: 'choice',
    assigneeId: 'text',
    tags: 'list',
    subject: 'text',
    priority: 'whole',
    snoozedUntil: 'time',
  },
  'POST /v1/conversations/:id/messages': { body: 'text', type: 'choice', senderName: 'text' },
  'POST /v1/customers': CUSTOMER,
  'PATCH /v1/customers/:id': CUSTOMER,
  'POST /v1/agents': { ...PROFILE, type: 'choice' },
  'PATCH /v1/agents/:id': { ...PROFILE, isEnabled: 'flag' },
  'POST /agent/reply': { conversationId: 'text', body: 'text', senderName: 'text' },
  'POST /agent/typing': { conversationId: 'text', typing: 'flag' },
  'POST /agent/webhooks': {
    url: 'url',
    description: 'text',
    events: 'flags',
    'events.onMessageCreated': 'flag',
    'events.onConversationAssigned': 'flag',
  },
  'DELETE /agent/webhooks': { url: 'url', endpointId: 'text', forget: 'flag' },
}

function quote(text: string): string {
  return JSON.stringify(text)
}

/** The route's working body with one field replaced by JSON text. */
function withField(route: string, field: string, json: string): string {
  const working = routeNamed(route).body?.(objects) ?? {}
  // An endpoint is named by one of the two: the other one would be what is refused.
  if (field === 'url' && route.startsWith('DELETE')) delete working['endpointId']
  const [outer = field, inner] = field.split('.')
  delete working[outer]
  const value = inner === undefined ? json : `{${quote(inner)}:${json}}`
  return `{${Object.entries(working)
    .map(([name, given]) => `${quote(name)}:${JSON.stringify(given)},`)
    .join('')}${quote(outer)}:${value}}`
}

const sendRaw = (route: string, raw: string): Promise<Answer> => send(guddesk, routeNamed(route), objects, { raw })

/** Everything in the database that a refused write must leave alone. */
async function everything(): Promise<unknown> {
  const { sql } = guddesk.deps.db
  // What the dispatcher notes about deliveries goes on meanwhile.
  const health = ['last_success_at', 'last_failure_at', 'failing_since', 'consecutive_failures', 'failing_warned_at']
  const notes = [...health, 'breaker_opened_at', 'breaker_probe_at', 'breaker_probes', 'dispatcher_id']
  const rows = ['conversations', 'visitors', 'agents', 'webhook_endpoints'].map((table) =>
    sql(`SELECT to_jsonb(t) - $1::text[] AS row FROM ${table} t ORDER BY id`, [notes]),
  )
  return [await census(guddesk), ...(await Promise.all(rows))]
}

const CASES = Object.entries(FIELDS).flatMap(([route, fields]) =>
  Object.entries(fields).map(([field, kind]) => [route, field, kind] as const),
)

describe('a wrong value is 400, names its field, and changes nothing', () => {
  test.each(CASES)('%s: %s', async (route, field, kind) => {
    const values = kind === 'flags' ? ['5', 'null', '"text"', '[]', 'true', '[true]', DEEP] : WRONG[kind]
    const before = await everything()
    for (const value of values) {
      const { status, error } = await sendRaw(route, withField(route, field, value))
      const shown = value.slice(0, 40)
      expect([shown, status, error?.code]).toEqual([shown, 400, 'bad_request'])
      const paths = error.fields?.map(({ path }) => path) ?? []
      expect([shown, paths.every((path) => path === field || path.startsWith(`${field}.`))]).toEqual([shown, true])
      expect(paths.length).toBeGreaterThan(0)
      expect(JSON.stringify(error)).not.toMatch(/prisma|postgres|invalid input syntax|stack|node_modules/i)
    }
    expect(await everything()).toEqual(before)
  })
})

describe('what is not looked at does no harm', () => {
  const UNKNOWN = [DEEP, '1e400', quote(NUL), '"\\ud800"', `{"a":${DEEP}}`, 'null']
  const NAMES = ['nonsense', '__proto__', 'constructor', 'toString', 'length', '', '\u0000', 'id', 'data']

  test.each(Object.keys(FIELDS))('%s ignores fields that it does not know', async (route) => {
    for (const [i, name] of NAMES.entries()) {
      const own = await makeObjects(guddesk)
      const working = JSON.stringify(routeNamed(route).body?.(own)).slice(1)
      const raw = `{${quote(name)}:${UNKNOWN[i % UNKNOWN.length]},${working}`
      const { status } = await send(guddesk, routeNamed(route), own, { raw })
      expect([name, status < 300]).toEqual([name, true])
    }
  })

  test.each(Object.keys(FIELDS))('%s never answers 5xx to a body of the wrong shape', async (route) => {
    const before = await everything()
    const bodies = [
      'null',
      '[]',
      '""',
      '0',
      'true',
      DEEP,
      '{}',
      '{"__proto__":{"body":"x"}}',
      `{"constructor":${DEEP}}`,
    ]
    for (const raw of bodies) {
      const { status, error } = await sendRaw(route, raw)
      expect([raw.slice(0, 40), status, error?.code]).toEqual([raw.slice(0, 40), 400, 'bad_request'])
    }
    expect(await everything()).toEqual(before)
  })

  test('a megabyte of nesting, of keys, of digits', async () => {
    const half = 500_000
    const bodies = [
      `{"metadata":${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)},"name":"x"}`,
      `{"metadata":{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":1`).join(',')}},"name":"x"}`,
      `{"metadata":{"n":${'9'.repeat(half)}e999999},"name":5}`,
      `{"name":${'['.repeat(half)}${']'.repeat(half)}}`,
      `{"name":"${'\\u0000'.repeat(100_000)}"}`,
      `{"email":"${'a'.repeat(half)}@${'b.'.repeat(100_000)}com"}`,
      `{"email":"${'a.'.repeat(half / 2)}"}`,
      `{"avatarUrl":"https://${'a.'.repeat(half / 2)}"}`,
    ]
    const began = performance.now()
    for (const raw of bodies) expect((await sendRaw('POST /v1/customers', raw)).status).toBe(400)
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})
