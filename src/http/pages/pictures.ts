import type Koa from 'koa'
import type { Authenticator } from '../../auth/authenticate.ts'
import type { Deps } from '../../domain/shared/deps.ts'
import { DomainError, ForbiddenError, NotFoundError } from '../../domain/shared/errors.ts'
import type { Charge } from '../../domain/shared/rate-limits.ts'
import { getPicture, PICTURES_PATH } from '../../domain/visitors/pictures.ts'
import type { AcquireRequestSlot } from '../connections.ts'
import { pictureHeaders } from '../headers.ts'

const ADDRESS = /^([a-z]{2,4}_[0-9a-z]{26})\/([0-9a-f]{64})$/

export interface PicturesDeps {
  readonly deps: Deps
  readonly charge: Charge
  readonly acquireSlot: AcquireRequestSlot
  readonly authenticator: Authenticator
}

/**
 * Serves the pictures of visitors and agents from this origin, to people who are signed in to their workspace. The host
 * of a picture does not learn who looks at it, or when.
 */
export function servePictures({ deps, authenticator, charge, acquireSlot }: PicturesDeps): Koa.Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(PICTURES_PATH)) return next()
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('Allow', 'GET, HEAD')
      throw new DomainError('method_not_allowed', 'Method not allowed: use GET or HEAD')
    }
    const { method, headers, req } = ctx
    const caller = await authenticator.authenticate({ method, headers, address: req.socket.remoteAddress })
    const [, workspaceId, hash] = ADDRESS.exec(ctx.path.slice(PICTURES_PATH.length)) ?? []
    if (caller.kind !== 'session' || workspaceId === undefined || hash === undefined) throw new NotFoundError('Picture')
    const actor = await caller.actorIn(workspaceId).catch((error: unknown) => {
      throw error instanceof ForbiddenError ? new NotFoundError('Picture') : error
    })
    await charge(caller, 'general', 1)
    await acquireSlot(caller.credentialId, ctx.res)
    const picture = await getPicture(deps, actor, hash)
    if (picture === null) throw new NotFoundError('Picture')
    ctx.set(pictureHeaders())
    ctx.type = picture.contentType
    ctx.body = picture.bytes
  }
}
