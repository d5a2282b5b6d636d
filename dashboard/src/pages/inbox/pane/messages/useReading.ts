import { useEffect, useState } from 'react'
import { useClient } from 'urql'
import { MarkRead } from '../../../../conversations/documents.ts'

interface Reading {
  readonly conversationId: string
  /** How far one had read when the conversation came; null for nothing. */
  readonly lastReadSequence: number | null
  /** Of the latest message; null when there is none. */
  readonly latestSequence: number | null
}

/**
 * Notes what has been read, while somebody looks at the window.
 * @returns how far they had read when they opened the conversation: what is new stands below that
 */
export function useReading({ conversationId, lastReadSequence, latestSequence }: Reading): number {
  const client = useClient()
  const [readBefore] = useState(lastReadSequence ?? 0)
  useEffect(() => {
    if (latestSequence === null || latestSequence <= (lastReadSequence ?? 0)) return
    const mark = () => {
      if (document.visibilityState !== 'visible') return
      void client.mutation(MarkRead, { input: { conversationId, sequence: latestSequence } }).toPromise()
    }
    mark()
    document.addEventListener('visibilitychange', mark)
    return () => document.removeEventListener('visibilitychange', mark)
  }, [client, conversationId, lastReadSequence, latestSequence])
  return readBefore
}
