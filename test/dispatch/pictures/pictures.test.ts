import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MAX_PICTURE_BYTES, pictureType } from '../../../src/dispatch/pictures/fetch-picture.ts'
import { removeUnreferencedPictures } from '../../../src/domain/visitors/pictures.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { type PictureHost, PNG, sends, startPictureHost } from '../../support/peers/picture-host.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk
let host: PictureHost
let session: string
let number = 0
let path: string

beforeAll(async () => {
  guddesk = await startGudDesk()
  host = await startPictureHost()
  session = await guddesk.newSession(guddesk.tenant)
})
afterAll(async () => {
  await guddesk.stop()
  await host.close()
})
beforeEach(() => {
  path = `/${++number}`
})

interface Row {
  readonly tries: number
  readonly failure: string | null
  readonly isOver: boolean
}

async function rowOf(url: string): Promise<Row | undefined> {
  const text = 'SELECT tries, failure, next_try_at IS NULL AS "isOver" FROM pictures WHERE url = $1'
  const [row] = await guddesk.deps.db.sql<Row>(text, [url])
  return row
}

async function newVisitor(avatarUrl: string): Promise<string> {
  const { status, data } = await guddesk.call('POST', '/api/v1/customers', { name: 'Vera', avatarUrl })
  expect(status).toBe(201)
  expect(data.avatarUrl).toBe(avatarUrl)
  return data.id
}

async function avatarOf(id: string): Promise<string | null> {
  const { data } = await guddesk.graphql('query ($id: ID!) { node(id: $id) { ... on Visitor { avatar } } }', { id })
  return data.node.avatar
}

async function fetchedAvatarOf(id: string): Promise<string> {
  await until(async () => (await avatarOf(id)) !== null, 10_000)
  const avatar = await avatarOf(id)
  if (avatar === null) throw new Error('it has gone')
  return avatar
}

const get = (address: string, headers: Record<string, string> = { authorization: `Bearer ${session}` }) =>
  fetch(guddesk.origin + address, { headers })

describe('a picture', () => {
  test('is fetched once, however many name it, and served by us', async () => {
    const url = host.serve(path, sends(PNG, 'text/html'))
    const ids = await Promise.all([newVisitor(url), newVisitor(url), newVisitor(url)])
    const avatar = await fetchedAvatarOf(ids[0])
    expect(await Promise.all(ids.map(avatarOf))).toEqual([avatar, avatar, avatar])
    const answer = await get(avatar)
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'cache-control': 'private, max-age=86400, immutable',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    })
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(PNG)
    await newVisitor(url)
    const later = await newVisitor(host.serve(`${path}/later`, sends(PNG)))
    await fetchedAvatarOf(later)
    expect(host.asked.filter((asked) => asked === path)).toHaveLength(1)
  })

  test('is fetched anew when its URL changes, and gone when there is none', async () => {
    const id = await newVisitor(host.serve(path, sends(PNG)))
    const first = await fetchedAvatarOf(id)
    const gif = Buffer.from('GIF89a, more or less')
    await guddesk.call('PATCH', `/api/v1/customers/${id}`, { avatarUrl: host.serve(`${path}/new`, sends(gif)) })
    expect(await avatarOf(id)).not.toBe(first)
    const second = await fetchedAvatarOf(id)
    const answer = await get(second)
    expect(answer.headers.get('content-type')).toBe('image/gif')
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(gif)
    await guddesk.call('PATCH', `/api/v1/customers/${id}`, { avatarUrl: null })
    expect(await avatarOf(id)).toBeNull()
  })

  test('of an agent is served likewise, and is not told to other agents', async () => {
    const iconUrl = host.serve(path, sends(PNG))
    const webhookUrl = 'http://127.0.0.1:9/webhook'
    const { data } = await guddesk.call('POST', '/api/v1/agents', { name: 'Robo', webhookUrl, iconUrl })
    const neighbour = { name: 'Other', webhookUrl: `${webhookUrl}/2` }
    const other = (await guddesk.call('POST', '/api/v1/agents', neighbour)).data
    const iconFor = async (key?: string) => {
      const query = 'query ($id: ID!) { node(id: $id) { ... on Agent { icon } } }'
      const answer = await guddesk.graphql(query, { id: data.id }, key === undefined ? {} : { key })
      return answer.data.node.icon
    }
    await until(async () => (await iconFor()) !== null, 10_000)
    expect((await get(await iconFor())).status).toBe(200)
    expect(await iconFor(other.credentials.apiKey)).toBeNull()
    const moved = host.serve(`${path}/new`, sends(PNG))
    await guddesk.call('PATCH', `/api/v1/agents/${data.id}`, { iconUrl: moved })
    await until(async () => (await iconFor()) !== null, 10_000)
    expect(host.asked).toContain(`${path}/new`)
  })

  test('is shown to people who are signed in to the workspace, and to nobody else', async () => {
    const avatar = await fetchedAvatarOf(await newVisitor(host.serve(path, sends(PNG))))
    const stranger = await guddesk.newTenant()
    const theirs = await guddesk.newSession(stranger)
    const viewer = await guddesk.newSession(await guddesk.newMember(guddesk.tenant, 'Vic', 'VIEWER'))
    const as = async (token: string, at = avatar) => (await get(at, { authorization: `Bearer ${token}` })).status
    expect(await as(viewer)).toBe(200)
    expect(await as(theirs)).toBe(404)
    expect(await as(theirs, avatar.replace(guddesk.tenant.workspaceId, stranger.workspaceId))).toBe(404)
    expect(await as(guddesk.tenant.key)).toBe(404)
    expect(await as(session, avatar.replace(/.{64}$/, '0'.repeat(64)))).toBe(404)
    expect(await as(session, `${avatar}/..%2f`)).toBe(404)
    expect((await get(avatar, {})).status).toBe(401)
    expect((await fetch(guddesk.origin + avatar, { method: 'POST' })).status).toBe(405)
  })

  test('is deleted once nothing names it', async () => {
    const url = host.serve(path, sends(PNG))
    const id = await newVisitor(url)
    const kept = host.serve(`${path}/kept`, sends(PNG))
    await fetchedAvatarOf(await newVisitor(kept))
    await fetchedAvatarOf(id)
    await guddesk.call('PATCH', `/api/v1/customers/${id}`, { avatarUrl: null })
    await removeUnreferencedPictures(guddesk.deps)
    expect(await rowOf(url)).toBeDefined()
    guddesk.advance(3_600_001)
    await removeUnreferencedPictures(guddesk.deps)
    expect(await rowOf(url)).toBeUndefined()
    expect(await rowOf(kept)).toBeDefined()
  })

  test('goes with its workspace', async () => {
    const url = host.serve(path, sends(PNG))
    const { key, workspaceId } = await guddesk.newTenant()
    await guddesk.call('POST', '/api/v1/customers', { name: 'Vera', avatarUrl: url }, { key })
    expect(await rowOf(url)).toBeDefined()
    await guddesk.deps.db.prisma.workspace.delete({ where: { id: workspaceId } })
    expect(await rowOf(url)).toBeUndefined()
  })
})

describe('not kept', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
  test.each<[what: string, reason: RegExp, answer: Parameters<PictureHost['serve']>[1]]>([
    ['SVG', /not a PNG/, sends(svg, 'image/svg+xml')],
    ['HTML that says it is a picture', /not a PNG/, sends('<!doctype html><script>alert(1)</script>')],
    ['nothing', /not a PNG/, sends('')],
    ['more than 1 MB', /larger than 1 MB/, sends(Buffer.concat([PNG, Buffer.alloc(MAX_PICTURE_BYTES)]))],
    ['an error', /responded with 500/, (response) => response.writeHead(500).end(PNG)],
    ['a redirect', /responded with 302/, (response) => response.writeHead(302, { location: '/secret' }).end(PNG)],
    ['what never ends', /within 5 seconds/, (response) => response.writeHead(200).write(PNG)],
  ])('%s', async (_what, reason, answer) => {
    const url = host.serve(path, answer)
    const id = await newVisitor(url)
    for (let tries = 1; tries <= 3; tries++) {
      await until(async () => {
        const row = await rowOf(url)
        return row?.tries === tries && row.failure !== null
      }, 10_000)
      expect((await rowOf(url))?.failure).toMatch(reason)
      await until(async () => host.asked.filter((asked) => asked === path).length === tries)
      guddesk.advance(60_000)
    }
    expect((await rowOf(url))?.isOver).toBe(true)
    expect(await avatarOf(id)).toBeNull()
    expect(host.asked).not.toContain('/secret')
  })
})

test('the first bytes decide what a picture is', () => {
  expect(pictureType(PNG)).toBe('image/png')
  expect(pictureType(Buffer.from([0xff, 0xd8, 0xff, 0xe0]))).toBe('image/jpeg')
  expect(pictureType(Buffer.from('GIF87a'))).toBe('image/gif')
  expect(pictureType(Buffer.from('RIFF\0\0\0\0WEBPVP8 '))).toBe('image/webp')
  expect(pictureType(Buffer.from('RIFF\0\0\0\0WAVEfmt '))).toBeNull()
  expect(pictureType(Buffer.alloc(0))).toBeNull()
})
