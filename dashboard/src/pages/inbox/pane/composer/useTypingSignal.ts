import { useEffect, useMemo } from 'react'
import { useClient } from 'urql'
import { SetTyping } from '../../../../conversations/documents.ts'

/** The server forgets a signal after ten seconds, so it is said again before. */
const AGAIN_MS = 6000

/** Tells others that somebody types here. A signal may be lost: it is worth nothing a moment later. */
export function useTypingSignal(conversationId: string) {
  const client = useClient()
  const signal = useMemo(() => {
    let last = 0
    const say = (isTyping: boolean) =>
      void client.mutation(SetTyping, { input: { conversationId, isTyping } }).toPromise()
    return {
      type() {
        if (Date.now() - last < AGAIN_MS) return
        last = Date.now()
        say(true)
      },
      stop() {
        if (last === 0) return
        last = 0
        say(false)
      },
    }
  }, [client, conversationId])
  useEffect(() => signal.stop, [signal])
  return signal
}
