import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { startTcpProxy, type TcpProxy } from '../../support/peers/tcp-proxy.ts'
import { until } from '../../support/until.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const page = readFileSync(`${ROOT}/docs/graphql.md`, 'utf8')

/** What a reader copies. */
const example = [...page.matchAll(/```js\n([\s\S]*?)\n```/g)]
  .map(([, code = '']) => code)
  .find((code) => code.includes("from 'graphql-ws'"))

let guddesk: TestGudDesk
let proxy: TcpProxy

beforeAll(async () => {
  guddesk = await startGudDesk()
  proxy = await startTcpProxy(guddesk.origin, 80)
})

afterAll(async () => {
  await proxy?.close()
  await guddesk?.stop()
})

/** The example as a program, and the lines that it prints. */
function run(key: string): { child: ChildProcess; lines: () => string[]; faults: () => string } {
  const code = (example ?? '').replace('localhost:3000', `127.0.0.1:${proxy.port}`)
  const env = { PATH: process.env['PATH'], GUDDESK_API_KEY: key }
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { cwd: ROOT, env })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  return { child, lines: () => out.split('\n').slice(0, -1), faults: () => err }
}

/** The whole log, as the example prints it. */
async function log(): Promise<string[]> {
  const { data } = await guddesk.graphql('{ events(first: 100) { edges { cursor node { type } } } }')
  return data.events.edges.map(
    ({ cursor, node }: { cursor: string; node: { type: string } }) => `${node.type} ${cursor}`,
  )
}

test('the loop that follows events misses none and repeats none, however often its connection is cut', async () => {
  const key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
  const id = await guddesk.newConversation()
  const write = () => guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'm', type: 'AGENT' })
  const program = run(key)
  await until(async () => {
    await write()
    return program.lines().length > 0
  })
  const [first = ''] = program.lines()
  const hasAll = async () => {
    const expected = await log()
    return program.lines().length >= expected.slice(expected.indexOf(first)).length
  }
  for (let cuts = 0; cuts < 3; cuts++) {
    await write()
    proxy.cut()
    for (let i = 0; i < 4; i++) await write()
    proxy.mend()
    await write()
    await until(hasAll, 20_000, program.faults)
  }
  const expected = await log()
  expect(program.lines()).toEqual(expected.slice(expected.indexOf(first)))
  expect(program.faults()).toBe('')
  program.child.kill()
})

test('it ends, and says why, when it will never be let in', async () => {
  const { child, faults } = run('gd_wrong')
  const [code] = await once(child, 'exit')
  expect([code, faults()]).toEqual([1, expect.stringContaining('Error: ')])
})
