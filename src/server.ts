import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { assembleHttp } from './app.ts'
import { createPeople, type People } from './auth/people.ts'
import { sessionTokens } from './auth/session-token.ts'
import { startDispatcher } from './dispatch/dispatcher.ts'
import { startFetchingPictures } from './dispatch/pictures/picture-fetcher.ts'
import { addUpConversationCounts } from './domain/conversations/inbox-counts.ts'
import { reopenDueConversations } from './domain/conversations/reopen-snoozed.ts'
import { bootstrap, type FirstStart } from './domain/identity/bootstrap.ts'
import { drainRemovals } from './domain/maintenance/drain-removals.ts'
import { publishNode } from './domain/maintenance/nodes.ts'
import { purgeExpired } from './domain/maintenance/purge-expired.ts'
import { type Retention, removeOld } from './domain/maintenance/retention.ts'
import { indexNewMessages } from './domain/maintenance/search-index.ts'
import { type Deps, newCounts } from './domain/shared/deps.ts'
import { DomainError } from './domain/shared/errors.ts'
import { purgeExpiredKeys, releaseAbandonedKeys } from './domain/shared/idempotency.ts'
import { removeUnreferencedPictures } from './domain/visitors/pictures.ts'
import { removeExpiredUnregistered, skipStaleBacklogs } from './domain/webhooks/unregistered-endpoints.ts'
import { ANY_DOCUMENT, readManifest, trustedDocuments } from './graphql/trusted-documents.ts'
import { echoAgentUrl } from './http/echo-agent.ts'
import type { Pages } from './http/pages/dashboard.ts'
import { type Clock, openClock } from './infra/clock.ts'
import type { Config } from './infra/config.ts'
import { type Database, openDatabase } from './infra/database/db.ts'
import { migrate } from './infra/database/migrations.ts'
import { repeatWriting } from './infra/database/repeat-writing.ts'
import type { Log } from './infra/log.ts'
import { openMailer } from './infra/mail.ts'
import { Metrics } from './infra/metrics.ts'
import { type Resolve, resolveName } from './infra/net/resolve.ts'
import { openBus } from './infra/redis/bus.ts'
import { openRateCounter } from './infra/redis/rate-counter.ts'
import { sharedRedis } from './infra/redis/shared-redis.ts'
import { createVault, encryptionKey, newApiKey } from './infra/secrets.ts'

/** A complete GudDesk that does not listen yet. */
export interface GudDesk {
  readonly server: Server
  readonly deps: Deps
  readonly people: People
  /** The objects that were created in an empty database; null otherwise. */
  readonly firstStart: FirstStart | null
  /** Stops in reverse order of assembly: running requests and sends finish, and endpoints are released. */
  stop(): Promise<void>
}

export interface Parts {
  readonly config: Config
  readonly log: Log
  readonly clock?: Clock
  /** An open database; by default, one is opened by the configuration. */
  readonly db?: Database
  /** The dashboard, which may still be building; none by default. */
  readonly pages?: Promise<Pages | null>
  /** Resolves host names of webhooks; the system's name servers by default. */
  readonly resolve?: Resolve
}

const REOPEN_EVERY_MS = 1000
const DRAIN_EVERY_MS = 1000
/** The interval of sweeps for expired rows: deliveries, idempotency keys, secrets. */
const SWEEP_EVERY_MS = 600_000
/** The interval of adding up changes of the numbers of conversations. */
const COUNT_EVERY_MS = 5000
/** The interval of moving new messages' words into the search index. */
const INDEX_EVERY_MS = 2000
/** The interval of skipping expired events of endpoints that were registered again, beyond the first batch. */
const SKIP_EVERY_MS = 2000

/** Opens, migrates and assembles everything, and starts the roles. The caller listens. */
export async function buildServer({
  config,
  log,
  clock: givenClock,
  db: given,
  pages,
  resolve = resolveName,
}: Parts): Promise<GudDesk> {
  const { graphqlDocuments } = config
  const documents = graphqlDocuments === undefined ? ANY_DOCUMENT : trustedDocuments(readManifest(graphqlDocuments))
  const db = given ?? (await openDatabase(config, log))
  const applied = await migrate(db.direct, undefined, { log })
  if (applied.length > 0) log.info({ migrations: applied }, 'migrations applied')
  const clock = givenClock ?? (await openClock(db))
  const redis = await sharedRedis(config, db)
  const bus = openBus(redis, log)
  const isProduction = config.env === 'production'
  const mail = config.mail === null ? undefined : openMailer({ ...config.mail, requireTls: isProduction }, log)
  const deps: Deps = {
    db,
    bus,
    clock,
    log,
    counts: newCounts(),
    publicUrl: config.publicUrl,
    endpointsPerWorkspace: config.endpointsPerWorkspace,
    vault: createVault(encryptionKey(config), config.previousEncryptionKey),
    ...(mail && { mail }),
    ...(!isProduction && { echoAgentUrl: () => echoAgentUrl(addressOf(http.server)) }),
    targets: {
      requireHttps: isProduction,
      allowLoopback: !isProduction,
      ...(isProduction && { ownHost: new URL(config.publicUrl).hostname }),
      openHosts: config.webhookAllowedHosts,
      openRanges: config.webhookAllowedRanges,
      resolve,
    },
  }
  // The output of production ends in logs, so a command prints the first key on request instead.
  const firstKey = config.firstApiKey ?? (isProduction ? null : newApiKey())
  const stops: (() => Promise<void>)[] = [() => db.close(), () => bus.close(), await publishNode(deps)]
  const firstStart = await bootstrap(deps, firstKey, config.ownerEmail)

  const metrics = new Metrics()
  const dispatching = { ...deps, metrics, version: config.version, sharesProcess: config.roles.has('api') }
  const dispatcher = config.roles.has('dispatcher') ? await startDispatcher(dispatching) : null
  if (dispatcher !== null) {
    stops.push(() => dispatcher.stop())
    stops.push(...startBackgroundWork(deps, config.retention))
  }
  const tokens = sessionTokens(config)
  const people = createPeople(deps, tokens)
  if (config.roles.has('api')) {
    if (db.exclusive) await releaseAbandonedKeys(deps)
    stops.push(
      repeatWriting(deps, SWEEP_EVERY_MS, 'expired idempotency keys not deleted', () => purgeExpiredKeys(deps)),
    )
  }
  if (mail !== undefined) stops.push(() => mail.close())
  const rates = openRateCounter(redis, log)
  stops.push(() => rates.close())
  const http = assembleHttp(config, deps, {
    people,
    tokens,
    rates,
    pages: (await pages) ?? null,
    documents,
    metrics,
  })
  stops.push(http.stop)
  if (db.disk !== null) stops.push(db.disk.watch(log))

  return {
    server: http.server,
    deps,
    people,
    firstStart,
    async stop() {
      for (const step of stops.reverse()) await step()
    },
  }
}

/** @throws DomainError when it does not listen on a port */
function addressOf(server: Server): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new DomainError('unavailable', 'The server is not listening')
  return address
}

/** The background work of a node that dispatches, besides sending. @returns functions that stop it */
function startBackgroundWork(deps: Deps, retention: Retention): (() => Promise<void>)[] {
  const { log } = deps
  return [
    repeatWriting(deps, REOPEN_EVERY_MS, 'snoozed conversations not reopened', () => reopenDueConversations(deps)),
    repeatWriting(deps, COUNT_EVERY_MS, 'numbers of conversations not added up', () => addUpConversationCounts(deps)),
    repeatWriting(deps, INDEX_EVERY_MS, 'words of new messages not moved into the search index', () =>
      indexNewMessages(deps),
    ),
    startFetchingPictures(deps),
    repeatWriting(deps, DRAIN_EVERY_MS, 'rows of removed objects not deleted', async (signal) => {
      const rows = await drainRemovals(deps, signal)
      if (rows > 0) log.info({ rows }, 'rows of removed objects deleted')
    }),
    repeatWriting(deps, SWEEP_EVERY_MS, 'expired deliveries and events not deleted', async (signal) => {
      const removed = await removeOld(deps, retention, signal)
      if (removed.deliveries + removed.events > 0) log.info(removed, 'expired deliveries and events deleted')
    }),
    repeatWriting(deps, SKIP_EVERY_MS, 'expired events not skipped', (signal) => skipStaleBacklogs(deps, signal)),
    repeatWriting(deps, SWEEP_EVERY_MS, 'expired unregistered endpoints not deleted', (signal) =>
      removeExpiredUnregistered(deps, signal),
    ),
    repeatWriting(deps, SWEEP_EVERY_MS, 'unused pictures not deleted', () => removeUnreferencedPictures(deps)),
    repeatWriting(deps, SWEEP_EVERY_MS, 'expired secrets not deleted', () => purgeExpired(deps)),
  ]
}
