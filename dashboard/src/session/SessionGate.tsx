import { useCallback, useEffect, useMemo, useState } from 'react'
import { Outlet, useLocation, useNavigate } from 'react-router'
import { Splash } from '../ui/layout/Splash.tsx'
import { Unreachable } from '../ui/states/Unreachable.tsx'
import { fetchSession, type Session, SessionContext } from './session.ts'

/** Lets the signed-in pass, and sends everybody else to the sign-in page, which leads back. */
export function SessionGate() {
  const [session, setSession] = useState<Session | null>()
  const [isUnreachable, setUnreachable] = useState(false)
  const navigate = useNavigate()
  const { pathname, search } = useLocation()

  const signedOut = useCallback(() => {
    // A sign-in link that did not work leads to `/?error=…`: the sign-in page says so.
    const isLinkRefused = location.pathname === '/' && new URLSearchParams(location.search).has('error')
    const next = location.pathname + location.search
    const params = isLinkRefused ? { error: 'link' } : next === '/' ? {} : { next }
    void navigate(`/sign-in?${new URLSearchParams(params)}`, { replace: true })
  }, [navigate])
  const reload = useCallback(async () => {
    setUnreachable(false)
    await fetchSession().then(setSession, () => setUnreachable(true))
  }, [])
  useEffect(() => void reload(), [reload])
  useEffect(() => {
    if (session === null) signedOut()
  }, [session, signedOut])

  const value = useMemo(() => (session ? { session, reload, signedOut } : null), [session, reload, signedOut])
  if (isUnreachable) return <Unreachable onRetry={reload} />
  if (value === null) return <Splash key={pathname + search} />
  return (
    <SessionContext value={value}>
      <Outlet />
    </SessionContext>
  )
}
