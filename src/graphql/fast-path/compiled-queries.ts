import { type DocumentNode, type ExecutionArgs, getOperationAST, OperationTypeNode } from 'graphql'
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit'
import type { Plugin } from 'graphql-yoga'

/** Runs of a document before it is compiled, which takes some milliseconds: what comes once is not worth it. */
const RUNS_BEFORE = 5

interface Known {
  runs: number
  /** By operation name; null: cannot be compiled. */
  readonly compiled: Map<string, CompiledQuery | null>
}

/**
 * Runs the queries that come again and again as compiled functions: a list of objects then takes a quarter of the
 * executor's time. Mutations and subscriptions stay with the executor, which begins no further field after a time-out.
 *
 * What goes wrong in a compiled query is worded and placed differently. Reading twice does no harm, so the executor runs
 * such a query again, and its errors are the ones that everybody sees.
 */
export function compiledQueries<Context extends object>(again: (context: Context) => void): Plugin<Context> {
  const documents = new WeakMap<DocumentNode, Known>()

  function compiledOf({ schema, document, operationName }: ExecutionArgs): CompiledQuery | null {
    const operation = getOperationAST(document, operationName)
    if (operation?.operation !== OperationTypeNode.QUERY) return null
    const known = documents.get(document) ?? { runs: 0, compiled: new Map() }
    documents.set(document, known)
    known.runs += 1
    if (known.runs <= RUNS_BEFORE) return null
    const name = operationName ?? ''
    const before = known.compiled.get(name)
    if (before !== undefined) return before
    const made = compileQuery(schema, document, operationName ?? undefined)
    const compiled = isCompiledQuery(made) ? made : null
    known.compiled.set(name, compiled)
    return compiled
  }

  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const compiled = compiledOf(args)
      if (compiled === null) return
      setExecuteFn(async (given: ExecutionArgs) => {
        const { rootValue, contextValue, variableValues } = given
        const result = await compiled.query(rootValue, contextValue, variableValues ?? {})
        if (result.errors === undefined) return result
        again(contextValue as Context)
        return executeFn(given)
      })
    },
  }
}
