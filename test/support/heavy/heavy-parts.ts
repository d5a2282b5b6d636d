import { getIntrospectionQuery } from 'graphql'

// What heavy requests are made of.

/** As much of something repeated as fits; at least one. */
export const fill = (unit: string, bytes: number) =>
  unit.repeat(Math.max(1, Math.floor(bytes / Buffer.byteLength(unit))))

const numbered = (bytes: number, unit: (i: number) => string, most = Number.POSITIVE_INFINITY): string => {
  const parts: string[] = []
  for (let i = 0, length = 0; length < bytes && i < most; i++) {
    const next = unit(i)
    parts.push(next)
    length += next.length + 1
  }
  return parts.join()
}

const TEXTS: Record<string, string> = {
  letters: 'a',
  blanks: ' ',
  wide: 'é',
  emoji: '😀',
  marks: '\u0301',
  'escaped quotes': '\\"',
  'escaped backslashes': '\\\\',
  'escaped characters': '\\u00e9',
  'escaped zeros': '\\u0000',
  'lone surrogates': '\\ud800',
  words: 'ab ',
  wildcards: '%_\\\\',
  dots: '../',
  addresses: 'a@b.',
  url: 'http://a/',
}

/** JSON values by what they are made of, each as large as it is told. */
export const VALUES: Record<string, (bytes: number) => string> = {
  ...Object.fromEntries(
    Object.entries(TEXTS).map(([name, unit]) => [`text of ${name}`, (bytes: number) => `"${fill(unit, bytes)}"`]),
  ),
  keys: (bytes) => `{${numbered(bytes, (i) => `"${i.toString(36)}":1`)}}`,
  'as many keys as may be': (bytes) => `{${numbered(bytes, (i) => `"k${i}":"${'x'.repeat(80)}"`, 9900)}}`,
  'long keys': (bytes) => `{${numbered(bytes, (i) => `"${'k'.repeat(5000)}${i}":1`)}}`,
  'one long key': (bytes) => `{"${fill('k', bytes)}":1}`,
  'numbers as keys': (bytes) => `{${numbered(bytes, (i) => `"${i * 4099}":1`, 9900)}}`,
  'the same key': (bytes) => `{${fill('"a":1,', bytes)}"a":1}`,
  prototypes: (bytes) => `{${fill('"__proto__":{"a":1},', bytes)}"a":1}`,
  numbers: (bytes) => `[${fill('1,', bytes)}1]`,
  'as many texts as may be': (bytes) => `[${numbered(bytes, (i) => `"${'t'.repeat(90)}${i}"`, 9900)}]`,
  'as many numbers as may be': (bytes) => `[${numbered(bytes, () => '1234567890123456789'.repeat(5), 9900)}]`,
  'as many objects as may be': (bytes) => `[${numbered(bytes, (i) => `{"a":{"b":[${i}]}}`, 4900)}]`,
  'empty texts': (bytes) => `[${fill('"",', bytes)}""]`,
  'empty objects': (bytes) => `[${fill('{},', bytes)}{}]`,
  nulls: (bytes) => `[${fill('null,', bytes)}null]`,
  exponents: (bytes) => `[${fill('1e999,', bytes)}1]`,
  'deep lists': (bytes) => fill('[', bytes / 2) + fill(']', bytes / 2),
  'deep objects': (bytes) => `${fill('{"a":', bytes / 6)}1${'}'.repeat(Math.max(1, Math.floor(bytes / 6 / 5)))}`,
  'lists within 120 lists': (bytes) => `${'['.repeat(120)}${numbered(bytes, () => '"x"', 9000)}${']'.repeat(120)}`,
  'wide and deep': (bytes) => `{${numbered(bytes, (i) => `"k${i}":${'{"a":['.repeat(16)}1${']}'.repeat(16)}`, 500)}}`,
  digits: (bytes) => fill('9', bytes),
  decimals: (bytes) => `0.${fill('3', bytes)}`,
  'no end': (bytes) => `{"a":"${fill('\\"', bytes)}`,
  commas: (bytes) => fill(',', bytes),
}

/** GraphQL documents by what is many in them; `n` is a number of units. */
export const DOCUMENTS: Record<string, (n: number) => string> = {
  'the same field': (n) => `{${'viewer{actor{displayName}}'.repeat(n)}}`,
  'the same inner field': (n) => `{viewer{actor{${'displayName '.repeat(n)}}}}`,
  'the same object': (n) => `{viewer{workspace{name} ${'actor{displayName id} '.repeat(n)}}}`,
  'objects within objects': (n) => `{${'viewer{actor{id} workspace{id}} '.repeat(n)}}`,
  'the same field with arguments': (n) => `{${'node(id:"a"){id} '.repeat(n)}}`,
  'fields with other arguments': (n) => `{${numbered(n * 6, (i) => `conversations(first:${i}){totalCount}`)}}`,
  aliases: (n) => `{${numbered(n * 8, (i) => `a${i}:__typename`)}}`,
  'unknown fields': (n) => `{${numbered(n * 6, (i) => `conversatio${i}`)}}`,
  'unknown arguments': (n) => `{conversations(${numbered(n * 6, (i) => `firs${i}:1`)}){totalCount}}`,
  'unknown fields of an input': (n) => `{conversations(filter:{${numbered(n * 6, (i) => `statu${i}:1`)}}){totalCount}}`,
  'a list of literals': (n) => `{nodes(ids:[${'1 '.repeat(n)}]){id}}`,
  'a list of wrong literals': (n) => `{nodes(ids:[${'{a:1} '.repeat(n)}]){id}}`,
  fragments: (n) =>
    `{viewer{actor{${numbered(n * 4, (i) => `...F${i}`)}}}}${Array.from({ length: Math.ceil(n / 2) }, (_, i) => `fragment F${i} on Actor{displayName}`).join(' ')}`,
  'fragments of fragments': (n) =>
    `{viewer{actor{...F0}}}${Array.from({ length: n }, (_, i) => `fragment F${i} on Actor{...F${i + 1} ...F${i + 1}}`).join(' ')}`,
  'fragments in a circle': (n) =>
    `{viewer{actor{...F0}}}${Array.from({ length: n }, (_, i) => `fragment F${i} on Actor{...F${(i + 1) % n} displayName}`).join(' ')}`,
  'each fragment with all others': (n) => {
    const size = Math.floor(Math.sqrt(n))
    const all = Array.from({ length: size }, (_, i) => `...F${i}`).join(' ')
    return `{viewer{actor{${all}}}}${Array.from({ length: size }, (_, i) => `fragment F${i} on Actor{${all}}`).join(' ')}`
  },
  'unused fragments': (n) =>
    `{__typename}${Array.from({ length: n }, (_, i) => `fragment F${i} on Actor{displayName}`).join(' ')}`,
  'unknown fragments': (n) => `{${numbered(n * 6, (i) => `...Fra${i}`)}}`,
  'inline fragments': (n) => `{${'... on Query{viewer{actor{id}}}'.repeat(n)}}`,
  'nested inline fragments': (n) => `${'{... on Query'.repeat(n)}{__typename}${'}'.repeat(n)}`,
  operations: (n) => Array.from({ length: n }, (_, i) => `query A${i}{__typename}`).join(' '),
  'operations with fragments': (n) =>
    `${Array.from({ length: n }, (_, i) => `query A${i}{...F0}`).join(' ')}${Array.from({ length: n }, (_, i) => `fragment F${i} on Query{...F${i + 1}}`).join(' ')}`,
  'operations that share fragments': (n) => {
    const fragments = Array.from({ length: n }, (_, i) => `fragment F${i} on Query{...F${i + 1}}`).join(' ')
    const operations = Array.from({ length: n }, (_, i) => `query A${i}($a:Int){...F0}`).join(' ')
    return `${operations}${fragments}fragment F${n} on Query{a:conversations(first:$a){totalCount}}`
  },
  'the same operation': (n) => 'query A{__typename} '.repeat(n),
  variables: (n) => `query(${numbered(n * 8, (i) => `$v${i}:Int`)}){__typename}`,
  'the same variable': (n) => `query(${'$v:Int '.repeat(n)}){__typename}`,
  'variables of unknown types': (n) => `query(${numbered(n * 8, (i) => `$v${i}:Conversatio${i}`)}){__typename}`,
  'unknown variables': (n) => `{nodes(ids:[${numbered(n * 4, (i) => `$v${i}`)}]){id}}`,
  directives: (n) => `{__typename ${'@include(if:true) '.repeat(n)}}`,
  'unknown directives': (n) => `{__typename ${numbered(n * 5, (i) => `@includ${i}`).replaceAll(',', ' ')}}`,
  brackets: (n) => '{a'.repeat(n),
  'nested lists': (n) => `{node(id:${'['.repeat(n)}`,
  'nested objects': (n) => `{node(id:${'{a:'.repeat(n)}1`,
  types: (n) => Array.from({ length: n }, (_, i) => `type T${i}{a:Int}`).join(' '),
  extensions: (n) => 'extend type Query{a:Int} '.repeat(n),
  comments: (n) => `{__typename}${'#\n'.repeat(n * 100)}`,
  commas: (n) => `{__typename}${','.repeat(n * 100)}`,
  'a long name': (n) => `{${'a'.repeat(n * 100)}}`,
  'a long argument': (n) => `{node(id:"${'a'.repeat(n * 100)}"){id}}`,
  'a long number': (n) => `{conversations(first:${'9'.repeat(n * 100)}){totalCount}}`,
  'a long text': (n) => `{node(id:"${'\\u00e9'.repeat(n * 12)}"){id}}`,
  'a block of lines': (n) => `{node(id:"""${' \n'.repeat(n * 40)}"""){id}}`,
  'a block of quotes': (n) => `{node(id:"""${'\\"""'.repeat(n * 20)}"""){id}}`,
  'a long type': (n) => `query($a:${'['.repeat(n)}Int${']'.repeat(n)}){__typename}`,
  'a syntax error at the end': (n) => `{${'a '.repeat(n)}`,
  introspection: (n) => `{${'__schema{types{name fields{name type{name}}}}'.repeat(n)}}`,
  'the usual introspection': (n) => `query A${n}{${getIntrospectionQuery().replace('query IntrospectionQuery {', '')}`,
  'introspection of fields of fields': (n) =>
    `{${numbered(n, (i) => `a${i}:__schema{types{fields{type{fields{type{name kind description}}}}}}`, 20)}}`,
  'introspection of fields within lists': (n) =>
    `{${numbered(n * 4, (i) => `a${i}:__schema{types{fields{type{ofType{fields{type{name kind description}}}}}}}`, 20)}}`,
  'introspection of types again and again': (n) =>
    `{__schema{${numbered(n, (i) => `a${i}:types{name description fields{name description args{name}}}`, 50)}}}`,
  'introspection of possible types': (n) =>
    `{${numbered(n, (i) => `a${i}:__schema{types{possibleTypes{fields{args{type{inputFields{name}}}}}}}`, 20)}}`,
  'deep introspection': (n) => `{__schema{types{fields{type${'{ofType'.repeat(n)}{name}${'}'.repeat(n)}}}}}`,
  search: (n) => `{conversations(filter:{search:"${'a '.repeat(n * 20)}"}){totalCount}}`,
  cursor: (n) => `{conversations(after:"${'A'.repeat(n * 40)}"){totalCount}}`,
}

/** Operations of which `$v` may be large. */
export const QUERIES = [
  'mutation($v:AcceptInvitationInput!){acceptInvitation(input:$v){__typename}}',
  'query($v:ConversationFilter){conversations(filter:$v){totalCount}}',
  'query($v:[ID!]!){nodes(ids:$v){id}}',
  'query($v:ID!){node(id:$v){id}}',
  'query($v:String){conversations(after:$v){totalCount}}',
  'query($v:Int){conversations(first:$v){totalCount}}',
  'mutation($v:UpsertVisitorInput!){upsertVisitor(input:$v){__typename}}',
  'mutation($v:JSON){upsertVisitor(input:{name:"a",metadata:$v}){__typename}}',
  'mutation($v:String!){upsertVisitor(input:{name:$v}){__typename}}',
  'mutation($v:String!){upsertVisitor(input:{email:$v}){__typename}}',
  'mutation($v:String!){upsertVisitor(input:{avatar:$v}){__typename}}',
  'mutation($v:[String!]!){updateConversation(input:{conversationId:"conv_1",tags:$v}){__typename}}',
  'mutation($v:URL!){installAgent(input:{name:"a",webhookUrl:$v}){__typename}}',
  'query($v:DateTime){conversations(filter:{updatedAfter:$v}){totalCount}}',
  'subscription($v:EventFilter){events(filter:$v){cursor}}',
  'subscription($v:String){events(after:$v){cursor}}',
  'query($v:Boolean!){__typename @skip(if:$v)}',
  '{__typename}',
]

export const REST_BODIES: readonly (readonly [method: string, path: string, field: string])[] = [
  ['POST', '/api/v1/customers', 'metadata'],
  ['POST', '/api/v1/customers', 'name'],
  ['POST', '/api/v1/customers', 'email'],
  ['POST', '/api/v1/customers', 'avatarUrl'],
  ['POST', '/api/v1/customers', 'unknown'],
  ['PATCH', '/api/v1/conversations/conv_1', 'tags'],
  ['PATCH', '/api/v1/conversations/CONVERSATION', 'tags'],
  ['PATCH', '/api/v1/conversations/CONVERSATION', 'snoozedUntil'],
  ['POST', '/api/v1/conversations', 'customer'],
  ['POST', '/api/v1/conversations', 'message'],
  ['POST', '/api/v1/articles', 'body'],
  ['POST', '/api/v1/articles', 'title'],
  ['POST', '/api/v1/agents', 'webhookUrl'],
  ['POST', '/api/v1/agents', 'events'],
  ['POST', '/api/v1/agents', 'config'],
  ['POST', '/api/agent/reply', 'body'],
  ['POST', '/api/agent/reply', 'conversationId'],
  ['POST', '/api/agent/webhooks', 'url'],
  ['POST', '/api/auth/sign-in/email', 'email'],
  ['POST', '/api/auth/sign-in/email', 'password'],
  ['DELETE', '/api/v1/articles/art_1', 'workspaceId'],
]

export const PATHS = [
  '/api/v1/conversations?cursor=',
  '/api/v1/conversations?status=',
  '/api/v1/conversations?q=',
  '/api/v1/conversations?',
  '/api/v1/customers?email=',
  '/api/v1/customers?cursor=',
  '/api/v1/articles?q=',
  '/api/v1/events?after=',
  '/api/v1/conversations/',
  '/api/auth/sign-in/link?token=',
  '/graphql?query=',
  '/graphql?query={__typename}&operationName=',
  '/graphql?',
  '/',
]

export const URL_UNITS: Record<string, string> = {
  letters: 'a',
  'pairs of a name and a value': 'a=1&',
  'escaped letters': '%C3%A9',
  'broken escapes': '%',
  'broken UTF-8': '%FF',
  slashes: '/',
  dots: '../',
  plus: '+',
  brackets: 'a[]=1&',
  commas: 'OPEN,',
}

export const HEADERS = [
  'authorization',
  'cookie',
  'idempotency-key',
  'x-workspace-id',
  'accept',
  'content-type',
  'origin',
  'x-forwarded-for',
  'x-request-id',
  'if-none-match',
  'range',
  'accept-encoding',
  'host',
  'te',
]
export const HEADER_UNITS = ['a', ' ', ',', ';', 'a=1;', 'text/html;q=0.1,', '1.1.1.1, ', '*/*, ', '"', 'a '] as const
