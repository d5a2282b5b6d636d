/** A word of a route, such as `sign-in` or `v1`: shorter than any token, and without the characters of tokens. */
const WORD = /^(?:[a-z]+(?:-[a-z]+)*|v\d)$/
const MAX_WORD = 20
/** A public id, such as `conv_…`, which is no secret. */
const ID = /^[a-z]{2,4}_[0-9a-z]{26}$/
/** The segment after these words is a secret of any length. */
const BEFORE_SECRETS = new Set(['invitations'])
const MAX_LENGTH = 200

/**
 * The form of a path in the log. Words and ids stay. Other segments become `*`, because they can be secrets: the token
 * of an invitation, or a key that was pasted by mistake.
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
