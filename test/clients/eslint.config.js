import graphql from '@graphql-eslint/eslint-plugin'

/** The recommended rules for schemas. Each exception says why. */
export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphql.parser },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
    },
  },
]
