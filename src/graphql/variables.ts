import {
  coerceInputValue,
  type DocumentNode,
  GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  getNullableType,
  getOperationAST,
  isInputObjectType,
  isInputType,
  isListType,
  typeFromAST,
  type VariableDefinitionNode,
} from 'graphql'
import type { Plugin } from 'graphql-yoga'

/** The arguments of an execution that concern variables. */
interface Given {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operationName?: string | null
  readonly variableValues?: Readonly<Record<string, unknown>> | null
}

/**
 * Refuses variables at their first error. graphql-js continues up to the fiftieth, and prints the whole value in each
 * message, so that one second of input keeps the process busy for several.
 */
export function firstFaultOfVariables(): Plugin {
  return {
    onExecute({ args, setExecuteFn }) {
      const fault = faultOf(args)
      if (fault !== null) setExecuteFn(() => ({ errors: [fault] }))
    },
    onSubscribe({ args, setSubscribeFn }) {
      const fault = faultOf(args)
      if (fault !== null) setSubscribeFn(() => ({ errors: [fault] }))
    },
  }
}

function faultOf({ schema, document, operationName, variableValues }: Given): GraphQLError | null {
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? []
  for (const definition of definitions) {
    const name = definition.variable.name.value
    const value = Object.hasOwn(variableValues ?? {}, name) ? variableValues?.[name] : undefined
    // The executor reports missing variables.
    if (value == null) continue
    const fault = faultIn(schema, definition, value)
    if (fault !== null) return fault
  }
  return null
}

/** No field has a name as long as this. */
const MAX_NAME = 100

/**
 * The first unknown field of an input object whose name is too long for any: graphql-js would look for similar names, and
 * take a tenth of a second for a name of a megabyte.
 */
function longNameIn(value: unknown, type: GraphQLInputType): string | null {
  const nullable = getNullableType(type)
  if (isListType(nullable)) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value]
    for (const item of items) {
      const found = longNameIn(item, nullable.ofType)
      if (found !== null) return found
    }
  }
  if (!isInputObjectType(nullable) || typeof value !== 'object' || value === null) return null
  const fields = nullable.getFields()
  for (const [name, item] of Object.entries(value)) {
    const field = fields[name]
    const found = field === undefined ? (name.length > MAX_NAME ? name : null) : longNameIn(item, field.type)
    if (found !== null) return found
  }
  return null
}

class Found extends Error {
  readonly fault: GraphQLError

  constructor(fault: GraphQLError) {
    super(fault.message)
    this.fault = fault
  }
}

function faultIn(schema: GraphQLSchema, definition: VariableDefinitionNode, value: unknown): GraphQLError | null {
  // Validation refuses unknown types and types that take no input.
  const type = typeFromAST(schema, definition.type)
  if (!isInputType(type)) return null
  const name = definition.variable.name.value
  const unknown = longNameIn(value, type)
  if (unknown !== null) {
    const message = `Field "${unknown.slice(0, MAX_NAME)}…" is not defined.`
    return new GraphQLError(`Variable "$${name}" got an invalid value; ${message}`, { nodes: definition })
  }
  try {
    coerceInputValue(value, type, (path, _value, { message, originalError }) => {
      const where = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')
      const at = path.length === 0 ? '' : ` at "${name}${where}"`
      throw new Found(
        new GraphQLError(`Variable "$${name}" got an invalid value${at}; ${message}`, {
          nodes: definition,
          originalError: originalError ?? null,
        }),
      )
    })
    return null
  } catch (error) {
    if (error instanceof Found) return error.fault
    throw error
  }
}
