import {
  coerceInputValue,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  isInputType,
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
