import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openBrowser } from '../browser/browser.ts'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'
import { startTcpProxy, type TcpProxy } from '../support/peers/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { EXAMPLE } from './run.ts'

const CUT_MS = 20_000

let browser: Browser
let guddesk: TestGudDesk
let wire: TcpProxy
let server: ChildProcess
let url: string

beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

async function start(env: Record<string, string> = {}): Promise<void> {
  guddesk = await startGudDesk({ env })
  wire = await startTcpProxy(guddesk.origin, 80)
  const vite = join(EXAMPLE, 'node_modules', 'vite', 'bin', 'vite.js')
  server = spawn(process.execPath, [vite, 'preview', '--host', '127.0.0.1', '--port', '0'], {
    cwd: EXAMPLE,
    env: { ...process.env, GUDDESK_URL: `http://127.0.0.1:${wire.port}`, GUDDESK_API_KEY: guddesk.tenant.key },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Vite prints the port in colour
  const port = () => /127\.0\.0\.1:(?:\u001b\[\d+m)*(\d+)/.exec(output)?.[1]
  await until(
    () => port() !== undefined,
    20_000,
    () => output,
  )
  url = `http://127.0.0.1:${port()}/`
  onTestFinished(stop)
}

async function stop(): Promise<void> {
  if (server.exitCode === null) {
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
  await wire.close()
  await guddesk.stop()
}

async function open(name: string): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(url)
  await page.getByRole('button', { name }).click()
  return page
}

const listOf = (page: Page) => page.getByRole('navigation').getByRole('button').allInnerTexts()
const threadOf = (page: Page) => page.getByRole('listitem').allInnerTexts()
async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.getByRole('textbox', { name: 'Message' }).press('Enter')
}

async function conversationOf(name: string, message: string): Promise<string> {
  const visitorId = await guddesk.newVisitor(guddesk.tenant, name)
  const { data } = await guddesk.call('POST', '/api/v1/conversations', { visitorId, message })
  return data.id
}

const say = (conversationId: string, body: string) =>
  guddesk.call('POST', `/api/v1/conversations/${conversationId}/messages`, { type: 'VISITOR', body })

/** What the page shows is what a page shows that has just been loaded. */
async function expectAsFresh(page: Page, name: string, messages: number): Promise<void> {
  const isSettled = async (each: Page) => {
    const thread = await threadOf(each)
    return thread.length === messages && !thread.some((text) => text.includes('Sending'))
  }
  await until(
    () => isSettled(page),
    30_000,
    () => 'the thread did not settle',
  )
  const fresh = await open(name)
  await until(
    () => isSettled(fresh),
    30_000,
    () => 'a fresh thread did not settle',
  )
  expect(await threadOf(page)).toEqual(await threadOf(fresh))
  await until(async () => (await listOf(page)).join() === (await listOf(fresh)).join(), 10_000)
  await fresh.close()
}

/** The texts of the thread, oldest first. */
const bodiesOf = async (page: Page) => (await threadOf(page)).map((text) => text.split('\n').at(-1))

test('the list and the thread are live', async () => {
  await start()
  const vera = await conversationOf('Vera', 'Where is my order?')
  const page = await open('Vera')
  await page.getByRole('listitem').filter({ hasText: 'Where is my order?' }).waitFor()
  const ben = await conversationOf('Ben', 'Hello')
  await page.getByRole('button', { name: 'Ben' }).waitFor()
  await write(page, 'On its way')
  await page.getByRole('listitem').filter({ hasText: 'On its way' }).waitFor()
  await guddesk.call('PATCH', `/api/v1/conversations/${ben}`, { status: 'CLOSED' })
  await page.getByRole('button', { name: 'Ben' }).waitFor({ state: 'detached' })
  await say(vera, 'Thanks')
  await expectAsFresh(page, 'Vera', 3)
  expect(await bodiesOf(page)).toEqual(['Where is my order?', 'On its way', 'Thanks'])
  await page.close()
})

test('a cut of 20 seconds in the middle of writing loses nothing and repeats nothing', async () => {
  await start()
  const vera = await conversationOf('Vera', 'Where is my order?')
  const ben = await conversationOf('Ben', 'Hello')
  const page = await open('Vera')
  await page.getByRole('listitem').filter({ hasText: 'Where is my order?' }).waitFor()
  for (const text of ['First', 'Second', 'Third']) await write(page, text)
  wire.cut()
  for (const text of ['Fourth', 'Fifth']) await write(page, text)
  await say(vera, 'Is anybody there?')
  await guddesk.call('PATCH', `/api/v1/conversations/${ben}`, { status: 'CLOSED' })
  await conversationOf('Cleo', 'Good morning')
  await new Promise((resolve) => setTimeout(resolve, CUT_MS))
  expect(await threadOf(page)).toContain('Sending …\nFifth')
  wire.mend()
  await expectAsFresh(page, 'Vera', 7)
  const [first, ...others] = await bodiesOf(page)
  expect(first).toBe('Where is my order?')
  expect(others.filter((text) => text !== 'Is anybody there?')).toEqual(['First', 'Second', 'Third', 'Fourth', 'Fifth'])
  expect((await listOf(page)).map((text) => text.split(/\s/)[0]).sort()).toEqual(['Cleo', 'Vera'])
  await page.close()
})

test('its persisted documents are all that a server needs to trust', async () => {
  await start({ GRAPHQL_DOCUMENTS: join(EXAMPLE, 'src', 'gql', 'persisted-documents.json') })
  await conversationOf('Vera', 'Where is my order?')
  const page = await open('Vera')
  await write(page, 'On its way')
  await page.getByRole('listitem').filter({ hasText: 'On its way' }).waitFor()
  await expectAsFresh(page, 'Vera', 2)
  const other = await guddesk.graphql('{ viewer { permission } }')
  expect(other.body.errors).toMatchObject([{ extensions: { code: 'untrusted_document' } }])
  await page.close()
})
