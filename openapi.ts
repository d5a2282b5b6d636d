/** Writes openapi.json from the routes: `npm run generate:openapi`. With --check, fails when the file is not what it would write. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { packageVersion } from './src/infra/config.ts'
import { routes } from './src/rest/app.ts'
import { openApiDocument } from './src/rest/openapi.ts'

const path = fileURLToPath(new URL('./openapi.json', import.meta.url))
const text = `${JSON.stringify(openApiDocument(routes, packageVersion()), null, 2)}\n`

if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== text) {
    console.error('openapi.json is not what the code says: run "npm run generate" and read the difference.')
    process.exit(1)
  }
} else {
  writeFileSync(path, text)
}
