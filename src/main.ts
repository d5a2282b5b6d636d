import type { AddressInfo } from 'node:net'
import type { FirstStart } from './domain/identity/bootstrap.ts'
import { buildPages, type Pages, readPages } from './http/pages/dashboard.ts'
import { signInUrl } from './http/pages/sign-in.ts'
import { type Config, ConfigError, readConfig } from './infra/config.ts'
import { createLog, type Log } from './infra/log.ts'
import { buildServer, type GudDesk } from './server.ts'

/** The process exits within this time, even if clients or receivers do not respond. */
const STOP_MS = 9500

async function main(): Promise<void> {
  const config = readConfig()
  const log = createLog(config.logLevel)
  const guddesk = await buildServer({ config, log, pages: openPages(config, log) })
  // Signals and requests are handled only after this: stopping closes the database.
  const signInToken = await firstLink(config, guddesk)
  stopOnSignals(guddesk)
  await new Promise<void>((resolve, reject) => {
    guddesk.server.once('error', reject).listen(config.port, config.host, resolve)
  })
  const { port } = guddesk.server.address() as AddressInfo
  console.log(welcome(config, port, guddesk, signInToken))
}

/** With --build, as in `npm start`, the dashboard is built while the database opens. The API works without it. */
async function openPages({ roles }: Config, log: Log): Promise<Pages | null> {
  if (!roles.has('api')) return null
  if (process.argv.includes('--build')) {
    await buildPages().catch((error: unknown) =>
      log.error({ err: error }, 'dashboard build failed; its files are missing or outdated'),
    )
  }
  return readPages()
}

/** One Ctrl-C can arrive twice, from the terminal and from npm. */
const SAME_SIGNAL_MS = 250

/** The first signal drains; a second Ctrl-C exits at once. */
function stopOnSignals(guddesk: GudDesk): void {
  let stoppingSince: number | undefined
  const stop = (signal: NodeJS.Signals) => {
    if (stoppingSince !== undefined) {
      if (signal === 'SIGINT' && performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1)
      return
    }
    stoppingSince = performance.now()
    guddesk.deps.log.info({ signal }, 'server stopping')
    setTimeout(() => process.exit(0), STOP_MS).unref()
    guddesk.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        guddesk.deps.log.error({ err: error }, 'server stop failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

const originOf = ({ env, publicUrl }: Config, port: number) =>
  env === 'production' ? publicUrl : `http://localhost:${port}`

/** A sign-in link for the first owner. Not in production, where it would get into the logs. */
async function firstLink({ env }: Config, { firstStart, people }: GudDesk): Promise<string | null> {
  return firstStart === null || env === 'production' ? null : people.makeLink(firstStart.ownerEmail)
}

function howToSignIn(ownerEmail: string, origin: string, token: string | null): string[] {
  return token === null
    ? ['', `Create a sign-in link for ${ownerEmail} with: npm run sign-in-link -- ${ownerEmail}`]
    : ['', `Sign-in link for ${ownerEmail}, valid once and for 24 hours:`, `  ${signInUrl(origin, token)}`]
}

function firstKey({ apiKey, ownerEmail }: FirstStart, origin: string): string[] {
  if (apiKey === null) return ['', `Create an API key (FULL_ACCESS) with: npm run api-key -- ${ownerEmail}`]
  return [
    '',
    'Your first API key (FULL_ACCESS), shown only once:',
    `  ${apiKey}`,
    'Try it:',
    `  curl -H "Authorization: Bearer ${apiKey}" ${origin}/api/v1/conversations`,
  ]
}

function welcome(config: Config, port: number, { firstStart }: GudDesk, signInToken: string | null): string {
  const origin = originOf(config, port)
  const database = config.databaseUrl === undefined ? `embedded, in ${config.dataDir}` : 'PostgreSQL'
  const bus = config.redisUrl === undefined ? 'in process' : 'Redis'
  const lines = [
    `GudDesk ${config.version} is ready (database: ${database}; bus: ${bus})`,
    `  Dashboard ${origin}`,
    `  API       ${origin}/api/v1`,
    `  ${config.env === 'production' ? 'GraphQL ' : 'GraphiQL'}  ${origin}/graphql`,
    `  Health    ${origin}/healthz`,
  ]
  if (firstStart !== null) {
    if (config.firstApiKey === undefined) lines.push(...firstKey(firstStart, origin))
    lines.push(...howToSignIn(firstStart.ownerEmail, origin, signInToken))
  }
  return `${lines.join('\n')}\n`
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) console.error(error.message)
  else if (isPortTaken(error)) console.error(`Port ${error.port} is in use. Set PORT to another port.`)
  else console.error('GudDesk could not start:', error)
  process.exit(1)
})

function isPortTaken(error: unknown): error is Error & { port: number } {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error
}
