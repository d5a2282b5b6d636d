import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAX_FILES = 13
const NOT_OURS = ['generated', 'node_modules']
/** One file per noun. */
const NOUNS = ['src/schema', 'src/resolvers']

/** Every folder below `folder`, with the number of files directly in it. */
function sizes(folder: string): [path: string, files: number][] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true }).filter(
    ({ name }) => !NOT_OURS.includes(name),
  )
  const folders = entries.filter((entry) => entry.isDirectory())
  return [[folder, entries.length - folders.length], ...folders.flatMap(({ name }) => sizes(`${folder}/${name}`))]
}

test.each(['src', 'dashboard/src', 'test'])('no folder of %s has more than 13 files directly in it', (folder) => {
  const found = sizes(folder)
  expect(found.length).toBeGreaterThan(10)
  expect(found.filter(([path, files]) => files > MAX_FILES && !NOUNS.includes(path))).toEqual([])
})
