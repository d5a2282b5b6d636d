import { lookup } from 'node:dns/promises'
import { literalAddress, refuseAddress, type TargetPolicy } from '../infra/net.ts'
import { ValidationError } from './errors.ts'

export const MAX_URL_LENGTH = 2048
const RESOLVE_TIMEOUT_MS = 2000

/**
 * The URL in its normal form (lower-case host, default port and fragment dropped), so that one receiver cannot be
 * registered twice.
 * @throws ValidationError that says which rule it breaks
 */
export function normalizeWebhookUrl(raw: string, path = 'url'): string {
  const refuse = (message: string) => new ValidationError([{ path, message }])
  const trimmed = raw.trim()
  if (!URL.canParse(trimmed)) throw refuse('must be an absolute URL such as https://your-agent.com/webhook')
  const url = new URL(trimmed)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('must start with https:// or http://')
  if (url.username !== '' || url.password !== '')
    throw refuse('must not contain credentials; verify signatures instead')
  url.hash = ''
  if (url.href.length > MAX_URL_LENGTH) throw refuse(`must have at most ${MAX_URL_LENGTH} characters`)
  return url.href
}

/**
 * Normalises a webhook URL and applies the deployment's policy to it and to every address its name resolves to now. A
 * name that does not resolve is accepted: it is judged again, at every connection, when something is sent.
 * @throws ValidationError that says which rule it breaks
 */
export async function checkWebhookUrl(policy: TargetPolicy, raw: string, path = 'url'): Promise<string> {
  const href = normalizeWebhookUrl(raw, path)
  const url = new URL(href)
  const refuse = (message: string) => new ValidationError([{ path, message }])
  if (policy.requireHttps && url.protocol !== 'https:') throw refuse('must start with https://')
  const literal = literalAddress(url)
  const addresses = literal === null ? await resolve(url.hostname) : [literal]
  for (const address of addresses) {
    const reason = refuseAddress(address, policy)
    if (reason === null) continue
    throw refuse(
      literal === null ? 'must not resolve to a private, loopback or reserved address' : `is refused: ${reason}`,
    )
  }
  return href
}

async function resolve(name: string): Promise<string[]> {
  const timeout = new Promise<string[]>((done) => setTimeout(done, RESOLVE_TIMEOUT_MS, []).unref())
  const answer = lookup(name, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => [], // does not resolve yet: accepted
  )
  return Promise.race([answer, timeout])
}
