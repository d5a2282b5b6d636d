import type { Deps } from '../domain/shared/deps.ts'
import { DomainError, UnauthorizedError } from '../domain/shared/errors.ts'

/** Notifies long-lived connections when their credential ends. */
export interface CredentialWatch {
  /**
   * Calls back once, within a second, when the key or session is no longer valid in the workspace: revoked, ended,
   * expired or disabled, its agent disabled or removed, or its person no longer a member.
   * @returns stops the watch
   * @throws DomainError `rate_limited` when the credential has too many watches in that workspace
   */
  watch(credentialId: string, workspaceId: string, listener: (error: UnauthorizedError) => void): () => void
  close(): void
}

const LOOK_MS = 500
/** The watches of one credential in one workspace: its open subscriptions at this node. */
const MAX_WATCHES = 2000

interface Watched {
  readonly credentialId: string
  readonly workspaceId: string
  readonly listeners: Set<(error: UnauthorizedError) => void>
}

/** One statement checks all credentials, regardless of the number of connections. */
export function watchCredentials(deps: Deps): CredentialWatch {
  const watched = new Map<string, Watched>()
  let timer: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    const before = [...watched.entries()]
    const valid = await stillValid(
      deps,
      before.map(([, entry]) => entry),
    )
    for (const [key, { credentialId, workspaceId, listeners }] of before) {
      if (valid.has(`${credentialId} ${workspaceId}`)) continue
      watched.delete(key)
      for (const listener of listeners) listener(new UnauthorizedError('Your credential is no longer valid'))
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      look()
        .catch((error: unknown) => deps.log.error({ err: error }, 'credentials of open subscriptions not checked'))
        .finally(() => {
          if (timer !== undefined && watched.size > 0) schedule()
          else timer = undefined
        })
    }, LOOK_MS)
    timer.unref()
  }

  return {
    watch(credentialId, workspaceId, listener) {
      const key = `${credentialId} ${workspaceId}`
      const entry = watched.get(key) ?? { credentialId, workspaceId, listeners: new Set() }
      if (entry.listeners.size >= MAX_WATCHES) {
        const message = `This credential has ${MAX_WATCHES} open subscriptions, the maximum: close some first`
        throw new DomainError('rate_limited', message)
      }
      entry.listeners.add(listener)
      watched.set(key, entry)
      if (timer === undefined) schedule()
      return () => {
        entry.listeners.delete(listener)
        if (entry.listeners.size === 0 && watched.get(key) === entry) watched.delete(key)
      }
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      watched.clear()
    },
  }
}

async function stillValid({ db, clock }: Deps, watched: readonly Watched[]): Promise<Set<string>> {
  const rows = await db.sql<{ pair: string }>(
    `SELECT wanted.credential_id || ' ' || wanted.workspace_id AS pair
       FROM unnest($1::text[], $2::text[]) AS wanted(credential_id, workspace_id)
       LEFT JOIN api_keys key ON key.id = wanted.credential_id AND key.is_enabled AND key.revoked_at IS NULL
                             AND (key.expires_at IS NULL OR key.expires_at > $3::timestamptz)
       LEFT JOIN sessions session ON session.id = wanted.credential_id AND session.expires_at > $3::timestamptz
       LEFT JOIN agents agent ON agent.id = key.agent_id
       LEFT JOIN members member ON member.workspace_id = wanted.workspace_id
                               AND member.user_id = COALESCE(key.user_id, session.user_id)
      WHERE CASE WHEN key.agent_id IS NULL THEN member.id IS NOT NULL ELSE agent.is_enabled END`,
    [watched.map(({ credentialId }) => credentialId), watched.map(({ workspaceId }) => workspaceId), clock.now()],
  )
  return new Set(rows.map(({ pair }) => pair))
}
