import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Importing folder and what it imports. */
const REFUSED = [
  ['src/infra', '../domain/events.ts'],
  ['src/domain', '../rest/app.ts'],
  ['src/domain', '../dispatch/claim.ts'],
  ['src/auth', '../domain/agents.ts'],
  ['src/schema', '../resolvers/index.ts'],
  ['src/schema', '../infra/db.ts'],
  ['src/resolvers', '../rest/app.ts'],
  ['src/resolvers', '../dispatch/claim.ts'],
  ['src/rest', '../dispatch/claim.ts'],
  ['src/rest', '../schema/builder.ts'],
  ['src/dispatch', '../domain/messages.ts'],
  ['src/dispatch', '../rest/app.ts'],
  ['src/infra', '../../dashboard/src/routes.tsx'],
  ['src', '../dashboard/build.ts'],
  ['dashboard/src/api', '../../../src/domain/ids.ts'],
]
const ALLOWED = [
  ['src/infra', '../domain/errors.ts'],
  ['src/domain', '../infra/db.ts'],
  ['src/auth', '../domain/actor.ts'],
  ['src/resolvers', '../domain/messages.ts'],
  ['src/rest', '../domain/messages.ts'],
  ['src/dispatch', '../domain/events.ts'],
  ['src', './dispatch/dispatcher.ts'],
  ['dashboard/src/pages/inbox', '../../api/graphql.ts'],
]

test("the linter refuses imports against the arrows, and only those, by this repository's configuration", () => {
  const folder = mkdtempSync(join(tmpdir(), 'guddesk-arrows-'))
  try {
    cpSync(join(ROOT, 'biome.json'), join(folder, 'biome.json'))
    const write = (cases: string[][], name: string) =>
      cases.map(([from = '', target], i) => {
        const path = `${from}/${name}${i}.ts`
        mkdirSync(dirname(join(folder, path)), { recursive: true })
        writeFileSync(join(folder, path), `import '${target}'\n`)
        return path
      })
    const refused = write(REFUSED, 'refused')
    write(ALLOWED, 'allowed')
    const biome = join(ROOT, 'node_modules/.bin/biome')
    const { stdout } = spawnSync(
      process.execPath,
      [biome, 'lint', '--reporter=github', '--max-diagnostics=none', 'src', 'dashboard'],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    )
    const found = stdout.split('\n').filter((line) => line.includes('lint/style/noRestrictedImports'))
    const files = found.map((line) => /file=(?:\S*?)((?:dashboard|src)\/[^,]+),/.exec(line)?.[1])
    expect(files.sort()).toEqual(refused.sort())
  } finally {
    rmSync(folder, { recursive: true })
  }
})
