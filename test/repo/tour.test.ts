import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(ROOT, 'docs/tour.md'), 'utf8')
const stops = [...page.matchAll(/^\| (\d+) \| `([^`]+)` \| `([^`]+)` \| (.+) \|$/gm)].map(
  ([, number = '', path = '', name = '', sentence = '']) => ({ number: Number(number), path, name, sentence }),
)

/** Whether a text declares a function, a method or a field of the GraphQL schema; a call or an import does not count. */
function declares(text: string, name: string): boolean {
  const asFunction = `^(?:export )?(?:async )?function\\*? ${name}\\b`
  const asMethod = `^ +(?:async )?\\*?${name}\\([^\\n]*\\)(?:: [^\\n]+)? \\{$`
  const asField = `^ +${name}: t\\.`
  return new RegExp([asFunction, asMethod, asField].join('|'), 'm').test(text)
}

test('the tour has at most 14 stops, in order, each with a sentence', () => {
  expect(stops.length).toBeGreaterThan(9)
  expect(stops.length).toBeLessThanOrEqual(14)
  expect(stops.map(({ number }) => number)).toEqual(stops.map((_, i) => i + 1))
  expect(page.split('\n').filter((line) => /^\| \d/.test(line))).toHaveLength(stops.length)
})

test.each(stops)('stop $number: $path declares $name', ({ path, name, sentence }) => {
  expect(existsSync(join(ROOT, path))).toBe(true)
  expect(declares(readFileSync(join(ROOT, path), 'utf8'), name)).toBe(true)
  expect(sentence).toMatch(/\.$/)
})

test('a function that is only called or imported is not declared', () => {
  expect(declares("import { wake } from './x.ts'\n  wake('')\n  if (wake()) {\n  wake(() => {\n", 'wake')).toBe(false)
  expect(declares('export async function wakeUp() {\n', 'wake')).toBe(false)
  expect(declares('  async wake(names: string) {\n', 'wake')).toBe(true)
})
