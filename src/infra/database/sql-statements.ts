/** Tokens that can contain a semicolon: strings, quoted names, comments (which can be nested), dollar-quoted bodies. */
const TOKEN = new RegExp(
  [
    /(?<!\w)[eE]'(?:\\[\s\S]|''|[^'\\])*'/,
    /'(?:[^']|'')*'/,
    /"(?:[^"]|"")*"/,
    /--[^\n]*/,
    /\/\*(?:\/\*[\s\S]*?\*\/|[\s\S])*?\*\//,
    /(?<!\w)\$((?:[A-Za-z_]\w*)?)\$[\s\S]*?\$\1\$/,
    /(?:(?!(?<!\w)[eE]')[^'"$;/-])+/,
    /[\s\S]/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
)
const COMMENT = /^(?:--|\/\*)/

/** The statements of an SQL script in their order, without comments and final semicolons. */
export function sqlStatements(script: string): string[] {
  const statements: string[] = []
  let statement = ''
  for (const [token] of script.matchAll(TOKEN)) {
    if (token === ';') {
      statements.push(statement.trim())
      statement = ''
    } else statement += COMMENT.test(token) ? ' ' : token
  }
  return [...statements, statement.trim()].filter((text) => text !== '')
}
