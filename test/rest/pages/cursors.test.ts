import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { makeObjects, type Objects } from '../objects.ts'

const TIME = '2026-01-01T00:00:00.000Z'

let guddesk: TestGudDesk
let objects: Objects

beforeAll(async () => {
  guddesk = await startGudDesk()
  objects = await makeObjects(guddesk)
})

afterAll(() => guddesk?.stop())

const LISTS = {
  workspaces: () => '/api/v1/workspaces',
  conversations: () => '/api/v1/conversations',
  messages: () => `/api/v1/conversations/${objects.conversationId}/messages`,
  customers: () => '/api/v1/customers',
  agents: () => '/api/v1/agents',
  'webhook endpoints': () => '/api/agent/webhooks',
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const encodeText = (text: string) => Buffer.from(text).toString('base64url')

/** A cursor of no list. */
const GARBAGE: Record<string, string> = {
  'a word': 'garbage',
  'one character': 'x',
  'a space': ' ',
  'U+0000': '\u0000',
  'an emoji': '🙂',
  SQL: "' OR 1=1 --",
  'a number': '5',
  'an id': 'conv_01h455vb4pex5vsknk084sn02q',
  'base64 of nothing JSON': encodeText('hello'),
  'base64 of broken JSON': encodeText('["2026'),
  'base64 of bytes': Buffer.from([0xff, 0xfe, 0x00]).toString('base64url'),
  null: encode(null),
  'an object': encode({ time: TIME }),
  'an object like an array': encode({ 0: TIME, 1: 'vis_1', length: 2 }),
  'an empty list': encode([]),
  'a nested list': encode([[TIME, 'vis_1']]),
  'a long list': encode(Array.from({ length: 100 }, () => TIME)),
  'deep nesting': encodeText(`${'['.repeat(4000)}${']'.repeat(4000)}`),
  'only nulls': encode([null, null]),
  numbers: encode([1.5, 2, 3, 4]),
  'six thousand characters': 'A'.repeat(6000),
  prototype: encodeText('{"__proto__":[1]}'),
}

/** [time, id] that look right from afar. */
const TIME_AND_ID: Record<string, unknown> = {
  'no id': [TIME],
  'no time': ['', 'vis_1'],
  'a time in words': ['yesterday', 'vis_1'],
  'a time as a number': [1767225600000, 'vis_1'],
  'a day that is not': ['2026-02-30T00:00:00.000Z', 'vis_1'],
  'a year before the calendar': ['0000-01-01T00:00:00.000Z', 'vis_1'],
  'a year beyond the calendar': ['+275760-09-13T00:00:00.000Z', 'vis_1'],
  'a negative year': ['-000001-01-01T00:00:00.000Z', 'vis_1'],
  'an id with a quote': [TIME, "vis_1'"],
  'an id with U+0000': [TIME, 'vis_\u0000'],
  'an id with a lone surrogate': [TIME, 'vis_\ud800'],
  'an id as an object': [TIME, { contains: '' }],
  'a time as an object': [{ lt: TIME }, 'vis_1'],
  'a very long id': [TIME, 'v'.repeat(1000)],
  'something more': [TIME, 'vis_1', 'more'],
}

const SEQUENCE: Record<string, unknown> = {
  negative: [-1],
  'not whole': [1.5],
  text: ['1'],
  'too large': [2_147_483_648],
  'much too large': [1e300],
  more: [1, 2],
  'no number': [null],
  'a condition': [{ gt: 0 }],
}

const SNAPSHOT: Record<string, unknown> = {
  'no snapshot': [TIME, 'conv_1'],
  empty: ['', TIME, 'conv_1'],
  words: ['now', TIME, 'conv_1'],
  'xmin after xmax': ['5:1:', TIME, 'conv_1'],
  zero: ['0:0:', TIME, 'conv_1'],
  negative: ['-1:5:', TIME, 'conv_1'],
  'running outside': ['1:5:9', TIME, 'conv_1'],
  'running out of order': ['1:9:7,3', TIME, 'conv_1'],
  'running is xmax': ['1:9:9', TIME, 'conv_1'],
  'a trailing comma': ['1:9:3,', TIME, 'conv_1'],
  'beyond 64 bits': ['1:99999999999999999999:', TIME, 'conv_1'],
  SQL: ["1:9:'::text", TIME, 'conv_1'],
  'U+0000': ['1:9:\u0000', TIME, 'conv_1'],
  'an object': [{}, TIME, 'conv_1'],
  'a year before the calendar': ['1:9:', '0000-01-01T00:00:00.000Z', 'conv_1'],
  'a time in words': ['1:9:', 'yesterday', 'conv_1'],
  'an id with a quote': ['1:9:', TIME, "conv_1'"],
  'a huge list': [`1:99999:${Array.from({ length: 2000 }, (_, i) => i + 1).join(',')}`, TIME, 'conv_1'],
}

async function answerTo(list: keyof typeof LISTS, cursor: string): Promise<[number, string | undefined]> {
  const { status, error } = await guddesk.call('GET', `${LISTS[list]()}?cursor=${encodeURIComponent(cursor)}`)
  return [status, error?.code]
}

const MALFORMED: [number, string] = [400, 'bad_request']
const NAMES = Object.keys(LISTS) as (keyof typeof LISTS)[]
const BY_TIME = ['workspaces', 'customers', 'agents', 'webhook endpoints'] as const

describe('a malformed cursor is 400', () => {
  test.each(NAMES)('garbage, in the list of %s', async (list) => {
    for (const [what, cursor] of Object.entries(GARBAGE)) {
      expect([what, ...(await answerTo(list, cursor))]).toEqual([what, ...MALFORMED])
    }
  })

  test.each(
    BY_TIME.flatMap((list) => Object.entries(TIME_AND_ID).map(([what, cursor]) => [list, what, cursor] as const)),
  )('in the list of %s: %s', async (list, _, cursor) => {
    expect(await answerTo(list, encode(cursor))).toEqual(MALFORMED)
  })

  test.each(Object.entries(SEQUENCE))('in the list of messages: %s', async (_, cursor) => {
    expect(await answerTo('messages', encode(cursor))).toEqual(MALFORMED)
  })

  test.each(Object.entries(SNAPSHOT))('in the list of conversations: %s', async (_, cursor) => {
    expect(await answerTo('conversations', encode(cursor))).toEqual(MALFORMED)
  })

  test('a real one with something added, removed or changed', async () => {
    await guddesk.newConversation(guddesk.tenant, 'Another')
    const { body } = await guddesk.call('GET', '/api/v1/conversations?limit=1')
    const cursor: string = body.meta.nextCursor
    const changes = {
      'a mark after it': `${cursor}!`,
      'a dot after it': `${cursor}.`,
      'a space before it': ` ${cursor}`,
      'its end': cursor.slice(0, -3),
      'its start': cursor.slice(1),
      'itself twice': `${cursor}${cursor}`,
    }
    const answers: [string, number, string | undefined][] = []
    for (const [what, changed] of Object.entries(changes)) {
      answers.push([what, ...(await answerTo('conversations', changed))])
    }
    expect(answers).toEqual(Object.keys(changes).map((what) => [what, ...MALFORMED]))
    expect((await answerTo('conversations', cursor))[0]).toBe(200)
  })

  test('the error names the cursor', async () => {
    const { error } = await guddesk.call('GET', '/api/v1/customers?cursor=garbage')
    expect(error.fields).toEqual([{ path: 'cursor', message: expect.stringMatching(/\S/) }])
  })
})

test('a cursor that only lies about the past or the future harms nobody', async () => {
  const far = '9223372036854775807'
  const lies = [
    [`${far}:${far}:`, TIME, 'conv_1'],
    ['9999999999999999999:9999999999999999999:', TIME, 'conv_1'],
    ['1:1:', TIME, 'conv_1'],
    ['1:9:3,3,3', TIME, 'conv_1'],
    ['3:9:3', '9999-12-31T23:59:59.999Z', 'conv_1'],
  ]
  for (const lie of lies) expect((await answerTo('conversations', encode(lie)))[0]).toBeLessThan(500)
})
