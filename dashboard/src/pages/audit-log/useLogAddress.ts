import { useSearchParams } from 'react-router'
import { FILTER_PARAMS } from './filter.ts'

type Param = (typeof FILTER_PARAMS)[number] | 'entry'

/** The log's part of the address. */
export function useLogAddress() {
  const [params, setParams] = useSearchParams()
  return {
    params,
    isFiltered: FILTER_PARAMS.some((name) => params.has(name)),
    /** Null or an empty text removes it. */
    set(changes: Partial<Record<Param, string | null>>): void {
      setParams(
        (now) => {
          const next = new URLSearchParams(now)
          for (const [name, value] of Object.entries(changes)) {
            if (value) next.set(name, value)
            else next.delete(name)
          }
          return next
        },
        { replace: true },
      )
    },
    clear(): void {
      setParams({}, { replace: true })
    },
  }
}

export type LogAddress = ReturnType<typeof useLogAddress>
