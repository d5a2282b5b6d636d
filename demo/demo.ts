import { parseArgs } from 'node:util'
import { connect } from './client.ts'
import { requireEmptyDatabase } from './database.ts'
import { measureBurst, measureOneByOne } from './measure.ts'
import { bold, detail, red, say, step } from './print.ts'
import { type Backend, type GudDeskProcess, startGudDesk } from './process.ts'
import { runStory } from './story.ts'

const USAGE = `Sends a visitor's message to an agent and back, on a temporary GudDesk.

  npm run demo                                  one message, step by step
  npm run demo -- --messages 50                 then 50 more messages, one after another, with their latency
  npm run demo -- --agents 10 --messages 500    500 messages at once, each for 10 agents

--agents    1 to 100; sends all messages at once
--messages  1 to 10,000; default with --agents: 100

The demo uses the embedded database, or an empty PostgreSQL database if DATABASE_URL is set, and Redis if REDIS_URL is set.`

interface Args {
  readonly agents: number | undefined
  readonly messages: number | undefined
}

/** @returns null for --help. @throws TypeError for arguments that the usage does not list */
function readArgs(): Args | null {
  const options = { agents: { type: 'string' }, messages: { type: 'string' }, help: { type: 'boolean' } } as const
  const { values } = parseArgs({ options })
  if (values.help) return null
  return { agents: count('agents', values.agents, 100), messages: count('messages', values.messages, 10_000) }
}

function count(name: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value
  throw new TypeError(`--${name} must be a whole number from 1 to ${max.toLocaleString('en')}, not "${text}"`)
}

/** Stops the started process and removes its folder, however the demo ends. */
async function run(args: Args): Promise<void> {
  await using cleanup = new AsyncDisposableStack()
  stopOnSignals(cleanup)
  const guddesk = await start(cleanup)
  await Promise.race([guddesk.died, perform(args, guddesk, cleanup)])
}

let isInterrupted = false

/** Ctrl-C arrives more than once: from the terminal and from npm. */
function stopOnSignals(cleanup: AsyncDisposableStack): void {
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
    process.on(signal, () => {
      if (isInterrupted) return
      isInterrupted = true
      cleanup.disposeAsync().then(() => process.exit(code))
    })
  }
}

async function start(cleanup: AsyncDisposableStack): Promise<GudDeskProcess> {
  const { DATABASE_URL: databaseUrl = '', REDIS_URL: redisUrl = '' } = process.env
  if (databaseUrl !== '') await requireEmptyDatabase(databaseUrl)
  say(bold("GudDesk: a visitor's message to an agent and back"))
  const backend: Backend = { databaseUrl, redisUrl }
  const began = performance.now()
  const guddesk = await startGudDesk(backend, cleanup)
  step('GudDesk is running', performance.now() - began)
  const database = databaseUrl === '' ? 'an embedded database in a temporary folder' : 'PostgreSQL (DATABASE_URL)'
  detail(`npm start on ${database}${redisUrl === '' ? '' : ' and Redis (REDIS_URL)'}`, guddesk.origin)
  return guddesk
}

async function perform(
  { agents, messages }: Args,
  guddesk: GudDeskProcess,
  cleanup: AsyncDisposableStack,
): Promise<void> {
  if (agents !== undefined) {
    return measureBurst(connect(guddesk.origin, guddesk.key), agents, messages ?? 100, cleanup)
  }
  const scene = await runStory(guddesk, cleanup)
  if (messages !== undefined) await measureOneByOne(scene, messages)
}

let args: Args | null
try {
  args = readArgs()
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`)
  process.exit(2)
}

if (args === null) {
  say(USAGE)
} else {
  run(args).then(
    () => process.exit(0),
    (error: Error) => {
      // Errors caused by stopping the process are not reported.
      if (isInterrupted) return
      console.error(`\n${red('The demo failed:')} ${error.message}`)
      process.exit(1)
    },
  )
}
