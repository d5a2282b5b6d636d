/**
 * Where to go on: only within this deployment, whatever a link says. It is judged as a browser reads it, after dots,
 * backslashes and control characters are resolved, and given whole: `/.//host` alone would lead to another host.
 * @param origin this deployment's
 */
export function ownAddress(next: string | null, origin: string): string {
  const start = `${origin}/`
  if (next === null || !URL.canParse(next, origin)) return start
  const url = new URL(next, origin)
  // A blob: URL has the origin of the page that made it, and a path without a slash.
  if (url.origin !== origin || !/^\/(?!\/)/.test(url.pathname)) return start
  return origin + url.pathname + url.search
}
