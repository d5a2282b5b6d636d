import { literalAddress } from '../../infra/net/addresses.ts'
import { resolveName } from '../../infra/net/resolve.ts'
import { howToOpen, isOpenHost, refuseAddress, refuseUrl, type TargetPolicy } from '../../infra/net/target-policy.ts'
import { ValidationError } from '../shared/errors.ts'

export const MAX_URL_LENGTH = 2048

/**
 * Normalizes a URL (lower-case host without a final dot; no default port, fragment or empty query), so that a receiver
 * cannot be registered twice.
 * @throws ValidationError that names the broken rule
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
  if (url.search === '') url.search = '' // drops a `?` that nothing follows
  url.hostname = url.hostname.replace(/(?<=[^.])\.$/, '')
  if (url.href.length > MAX_URL_LENGTH) throw refuse(`must have at most ${MAX_URL_LENGTH} characters`)
  return url.href
}

/**
 * Normalizes a webhook URL and checks it, and every current address of its name, against the deployment's policy. A
 * name that does not resolve is accepted: it is checked again at every connection.
 * @throws ValidationError that names the broken rule
 */
export async function checkWebhookUrl(policy: TargetPolicy, raw: string, path = 'url'): Promise<string> {
  const href = normalizeWebhookUrl(raw, path)
  const url = new URL(href)
  const refuse = (message: string) => new ValidationError([{ path, message }])
  const reason = refuseUrl(url, policy)
  if (reason !== null) throw refuse(reason)
  if (literalAddress(url.hostname) !== null) return href
  const { resolve = resolveName } = policy
  const isOpen = isOpenHost(url.hostname, policy)
  const addresses = await resolve(url.hostname).catch(() => []) // does not resolve yet: accepted
  for (const address of addresses) {
    const refused = refuseAddress(address, policy, isOpen)
    if (refused === null) continue
    const how = howToOpen(url.hostname, address, policy)
    throw refuse(`must not resolve to a private, loopback or reserved address${how}`)
  }
  return href
}
