import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAX_LINES = 300

/** Files of code, from the root. Generated ones are nobody's to split. */
function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !/generated\/|node_modules\//.test(path))
    .map((path) => `${folder}/${path}`)
}

test.each(['src', 'dashboard/src', 'bench', 'demo', 'test'])('no file of %s has more than 300 lines', (folder) => {
  const files = filesIn(folder)
  expect(files.length).toBeGreaterThan(0)
  const lines = (path: string) => readFileSync(join(ROOT, path), 'utf8').trimEnd().split('\n').length
  expect(files.filter((path) => lines(path) > MAX_LINES)).toEqual([])
})
