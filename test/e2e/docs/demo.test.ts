import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backend } from '../../support/database.ts'
import { until } from '../../support/until.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guddesk-demo-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** `npm run demo` on a machine that has neither PostgreSQL nor Redis; TMPDIR shows what it leaves behind. */
function startDemo(...args: string[]) {
  const child = spawn(process.execPath, ['demo/demo.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], TMPDIR: folder, DATABASE_URL: '', REDIS_URL: '' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  const ended = once(child, 'exit').then(([code, signal]) => signal ?? code)
  return { output: () => output, ended, signal: (name: NodeJS.Signals) => child.kill(name) }
}

describe.runIf(backend === 'embedded')('the demo', () => {
  test('tells the story, measures, exits 0 and leaves nothing behind', { timeout: 60_000 }, async () => {
    const demo = startDemo('--messages', '5')
    expect(await demo.ended, demo.output()).toBe(0)
    const steps = [
      'GudDesk is running',
      'An agent is installed',
      'A customer is created',
      'The visitor writes',
      'The agent receives a signed webhook',
      'The agent verifies the signature',
      'The agent replies',
      'through GraphQL',
      'The conversation, as the API returns it',
      'It works:',
      'The visitor writes 5 more',
    ]
    let end = 0
    for (const step of steps) {
      const start = demo.output().indexOf(step, end)
      expect(start, `"${step}" in its place in:\n${demo.output()}`).toBeGreaterThan(-1)
      end = start + step.length
    }
    expect(demo.output()).toMatch(/X-GudDesk-Signature: sha256=[0-9a-f]{64}\n/)
    expect(demo.output()).toMatch(/signed webhook at the agent +5 +5 +[\d.]+ ms/)
    expect(demo.output()).not.toContain('\u001b')
    expect(await readdir(folder)).toEqual([])
  })

  test('delivers many messages at once to every agent', { timeout: 60_000 }, async () => {
    const demo = startDemo('--agents', '3', '--messages', '20')
    expect(await demo.ended, demo.output()).toBe(0)
    expect(demo.output()).toMatch(/3 agents × 20 messages +20 +60 /)
  })

  test.each([
    ['--messages', '0'],
    ['--agents', 'many'],
    ['--speed', '9'],
  ])('refuses %s %s with the usage', async (...args) => {
    const demo = startDemo(...args)
    expect(await demo.ended).toBe(2)
    expect(demo.output()).toContain('npm run demo --')
  })

  test('cleans up when it is interrupted while GudDesk starts', { timeout: 60_000 }, async () => {
    const demo = startDemo()
    await until(async () => (await readdir(folder)).length > 0, 20_000)
    demo.signal('SIGINT')
    expect(await demo.ended, demo.output()).toBe(130)
    expect(await readdir(folder)).toEqual([])
  })

  test('cleans up when it is interrupted in the middle', { timeout: 60_000 }, async () => {
    const demo = startDemo('--messages', '10000')
    await until(() => demo.output().includes('It works:'), 30_000, demo.output)
    demo.signal('SIGINT')
    demo.signal('SIGINT')
    expect(await demo.ended, demo.output()).toBe(130)
    expect(demo.output()).not.toContain('failed')
    expect(await readdir(folder)).toEqual([])
  })
})
