import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8')

/** The terms and the names in the last column of the table. */
const terms = [...page.matchAll(/^\| ([^|]+) \| [^|]+ \| (`[^|]+`) \|$/gm)].map(
  ([, term = '', names = '']): [term: string, names: string[]] => [
    term,
    [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  ],
)

/** Everything that a name of the glossary can refer to: models, their tables, and classes, types and schemas of the code. */
function declaredNames(): Set<string> {
  const schema = readFileSync(join(ROOT, 'prisma/schema.prisma'), 'utf8')
  const models = [...schema.matchAll(/^model (\w+)|@@map\("(\w+)"\)/gm)].map(([, model, table]) => model ?? table ?? '')
  const types = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.startsWith('generated'))
    .flatMap((path) => [
      ...readFileSync(join(ROOT, 'src', path), 'utf8').matchAll(
        /^export (?:abstract )?(?:class|interface|type|const) (\w+)/gm,
      ),
    ])
    .map(([, name = '']) => name)
  return new Set([...models, ...types])
}

test('every term names models, tables or types that exist', () => {
  const declared = declaredNames()
  expect(terms.length).toBeGreaterThan(25)
  expect(terms.filter(([, names]) => names.length === 0 || names.some((name) => !declared.has(name)))).toEqual([])
})

test('the page is a line per term, and at most 40 lines', () => {
  const lines = page.trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(40)
  expect(lines.filter((line) => line.startsWith('| ')).length).toBe(terms.length + 2)
})
