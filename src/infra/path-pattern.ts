/** A word of a route, such as `sign-in` or `v1`: too short for a token, and without what tokens have. */
const WORD = /^(?:[a-z]+(?:-[a-z]+)*|v\d)$/
const MAX_WORD = 20
/** `conv_` and what typeid-js makes: it names a row and opens nothing. */
const ID = /^[a-z]{2,4}_[0-9a-z]{26}$/
/** What is behind these is a secret, however short. */
const BEFORE_SECRETS = new Set(['invitations'])
const MAX_LENGTH = 200

/**
 * A path as the log may have it. Its words and ids stay; anything else becomes `*`, because it may be a secret: the end of
 * an invitation's link, or a key that somebody put there by mistake.
 */
export function pathPattern(path: string): string {
  const segments = path.split('/')
  const patterned = segments.map((segment, i) => {
    if (segment === '') return ''
    return !BEFORE_SECRETS.has(segments[i - 1] ?? '') && isHarmless(segment) ? segment : '*'
  })
  return patterned.join('/').slice(0, MAX_LENGTH)
}

function isHarmless(segment: string): boolean {
  return ID.test(segment) || (segment.length <= MAX_WORD && WORD.test(segment))
}
