import { parseArgs } from 'node:util'
import { connect } from './client.ts'
import { requireEmptyDatabase } from './database.ts'
import { measureBurst, measureOneByOne } from './measure.ts'
import { bold, detail, red, say, step } from './print.ts'
import { type Backend, type GudDeskProcess, startGudDesk } from './process.ts'
import { tellStory } from './story.ts'

const USAGE = `Shows a visitor's message on its way to an agent and back, on a GudDesk of its own.

  npm run demo                                  the story, step by step
  npm run demo -- --messages 50                 and 50 more messages, one after another, with their latency
  npm run demo -- --agents 10 --messages 500    a burst: 500 messages, each for 10 agents

--agents is 1 to 100, --messages is 1 to 10,000 (a burst's default is 100).
Runs on the embedded database, or on DATABASE_URL (an empty database) and REDIS_URL.`

interface Args {
  readonly agents: number | undefined
  readonly messages: number | undefined
}

/** @returns null for --help. @throws TypeError for anything that is not in the usage */
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

/** Whatever ends the demo, the process that it started and its folder go with it. */
async function run(args: Args): Promise<void> {
  await using cleanup = new AsyncDisposableStack()
  stopOnSignals(cleanup)
  const guddesk = await start(cleanup)
  await Promise.race([guddesk.died, perform(args, guddesk, cleanup)])
}

let isInterrupted = false

/** Ctrl-C reaches us more than once: from the terminal and from npm. */
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
  say(bold("GudDesk: a visitor's message on its way to an agent and back"))
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
  const scene = await tellStory(guddesk, cleanup)
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
      // What fails because the process is being stopped is not worth a word.
      if (isInterrupted) return
      console.error(`\n${red('The demo failed:')} ${error.message}`)
      process.exit(1)
    },
  )
}
