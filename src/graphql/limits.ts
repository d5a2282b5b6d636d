import { GraphQLError, Lexer, Source, TokenKind } from 'graphql'

/** The limits of one operation. Operations over a limit are refused before execution. */
export const LIMITS = {
  /** Lexical tokens of a document: names, punctuators and values, without commas and comments. */
  tokens: 2000,
  /** Characters of a document, including comments and blanks, which count as no token but must be read. */
  characters: 100_000,
  /** Brackets that are open at the same time: the parser is recursive. */
  nesting: 64,
  /** The depth of nested fields, with fragments expanded. */
  depth: 12,
  /** The depth below `__schema` and `__type`; the usual introspection query needs all of it. */
  introspectionDepth: 15,
  /** Aliases in the whole operation, with fragments expanded. */
  aliases: 50,
  /** Root fields, with fragments expanded. */
  rootFields: 20,
  /** Directives of one field, fragment or operation. */
  directives: 10,
  /** The estimated number of values in the response; see cost.ts. */
  complexity: 5000,
} as const

export type LimitName = keyof typeof LIMITS

/** What each limit counts, and the remedy. */
const WORDS: Record<LimitName, { what: string; advice: string }> = {
  tokens: { what: 'tokens', advice: 'request fewer fields, or send values as variables' },
  characters: { what: 'characters', advice: 'send values as variables' },
  nesting: { what: 'levels of brackets', advice: 'nest less deeply, or send values as variables' },
  depth: { what: 'levels of fields', advice: 'request the inner objects by their ids, in another operation' },
  introspectionDepth: { what: 'levels of introspection fields', advice: 'use the usual introspection query' },
  aliases: { what: 'aliases', advice: 'split it into several operations' },
  rootFields: { what: 'root fields', advice: 'split it into several operations' },
  directives: { what: 'directives in one place', advice: 'combine their conditions in one variable' },
  complexity: { what: 'points of cost', advice: 'request smaller pages (first) or fewer fields' },
}

/** An invalid request: code `bad_request`, for every media type that the client accepts. */
export function requestFault(message: string, status = 400, code = 'bad_request', details: object = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...details, http: { status } } })
}

/**
 * @param value the value of the operation; if counting stopped at the limit, one more than the limit
 * @throws GraphQLError with `extensions.limit` (name, max, value) when `value` is over the limit
 */
export function checkLimit(name: LimitName, value: number): void {
  const max = LIMITS[name]
  if (value <= max) return
  const { what, advice } = WORDS[name]
  const message = `The operation has ${value} ${what}, more than the maximum of ${max}: ${advice}.`
  throw requestFault(message, 400, 'bad_request', { limit: { name, max, value } })
}

const OPENING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L])
const CLOSING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R])

/**
 * Reads the tokens of a document before the parser does, because deep nesting would overflow the parser's stack. It
 * stops at the first exceeded limit. Invalid texts are left to the parser.
 * @throws GraphQLError for the limits characters, tokens and nesting
 */
export function checkTokens(text: string): void {
  checkHead(text.slice(0, LIMITS.characters))
  checkLimit('characters', text.length)
}

function checkHead(text: string): void {
  const lexer = new Lexer(new Source(text))
  let open = 0
  for (let tokens = 0; ; tokens++) {
    checkLimit('tokens', tokens)
    checkLimit('nesting', open)
    const kind = nextKind(lexer)
    if (kind === TokenKind.EOF) return
    if (OPENING.has(kind)) open++
    if (CLOSING.has(kind)) open--
  }
}

function nextKind(lexer: Lexer): TokenKind {
  try {
    return lexer.advance().kind
  } catch {
    return TokenKind.EOF
  }
}
