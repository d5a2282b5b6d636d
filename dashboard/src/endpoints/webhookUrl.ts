const MOST = 2048

/**
 * What is wrong with a webhook URL, as far as that can be told while it is typed; the server judges addresses and names.
 * @returns null when nothing is
 */
export function urlFault(raw: string, isDevelopment: boolean): string | null {
  const text = raw.trim()
  if (text === '') return 'Enter the URL that events are sent to'
  if (!URL.canParse(text)) return 'Enter a full URL, such as https://your-agent.com/webhook'
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'The URL must start with https:// or http://'
  if (url.protocol === 'http:' && !isDevelopment) return 'The URL must start with https://'
  if (url.username !== '' || url.password !== '')
    return 'Remove the credentials from the URL. Verify signatures instead.'
  return url.href.length > MOST ? `The URL must have at most ${MOST} characters` : null
}

/** Host and path, which tell endpoints of one host apart. */
export function placeOf(url: string): string {
  if (!URL.canParse(url)) return url
  const { host, pathname } = new URL(url)
  return host + (pathname === '/' ? '' : pathname)
}

export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}
