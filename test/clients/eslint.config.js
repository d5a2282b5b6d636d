import { readFileSync } from 'node:fs'
import graphql from '@graphql-eslint/eslint-plugin'

const { keyless } = JSON.parse(readFileSync(new URL('../../schema.cache.json', import.meta.url), 'utf8'))

/** The recommended rules for schemas. Each exception says why. */
export default [
  {
    files: ['**/*.graphql'],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: 'generated/schema.graphql' } },
    },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      // Values have no identity of their own: payloads, connections, edges, counts. Clients find their names in schema.cache.json.
      '@graphql-eslint/strict-id-in-types': ['error', { exceptions: { types: keyless } }],
    },
  },
]
