import type { CodegenConfig } from '@graphql-codegen/cli'

/** Outside this repository: the copy that a server has, `http://localhost:3000/graphql/schema.graphql`. */
const SCHEMA = process.env['SCHEMA'] ?? '../../schema.graphql'

const config: CodegenConfig = {
  schema: SCHEMA,
  documents: 'src/**/*.{ts,tsx}',
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: {
        fragmentMasking: false,
        // persisted-documents.json is what GRAPHQL_DOCUMENTS takes: hashes of the documents, and their texts.
        persistedDocuments: { hashAlgorithm: 'sha256' },
      },
      config: {
        documentMode: 'string',
        enumsAsTypes: true,
        strictScalars: true,
        scalars: { ID: 'string', DateTime: 'string', JSONObject: 'Record<string, unknown>', URL: 'string' },
        useTypeImports: true,
      },
    },
  },
}

export default config
