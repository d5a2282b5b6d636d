import type Koa from 'koa'
import type { Authenticator } from './auth/authenticate.ts'
import { DomainError, ForbiddenError, NotFoundError } from './domain/errors.ts'
import { getPicture, PICTURES_PATH } from './domain/pictures.ts'
import { pictureHeaders } from './infra/http-headers.ts'
import type { RestDeps } from './rest/app.ts'

const ADDRESS = /^([a-z]{2,4}_[0-9a-z]{26})\/([0-9a-f]{64})$/

export interface PicturesDeps extends Pick<RestDeps, 'deps' | 'charge' | 'takePlace'> {
  readonly authenticator: Authenticator
}

/**
 * Serves the pictures of visitors and agents from our own origin, to people who are signed in to their workspace: whoever
 * hosts a picture does not learn who looks at it, or when.
 */
export function servePictures({ deps, authenticator, charge, takePlace }: PicturesDeps): Koa.Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(PICTURES_PATH)) return next()
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('Allow', 'GET, HEAD')
      throw new DomainError('method_not_allowed', 'Use GET, HEAD here')
    }
    const { method, headers, req } = ctx
    const caller = await authenticator.authenticate({ method, headers, address: req.socket.remoteAddress })
    const [, workspaceId, hash] = ADDRESS.exec(ctx.path.slice(PICTURES_PATH.length)) ?? []
    if (caller.kind !== 'session' || workspaceId === undefined || hash === undefined) throw new NotFoundError('Picture')
    const actor = await caller.actorIn(workspaceId).catch((error: unknown) => {
      throw error instanceof ForbiddenError ? new NotFoundError('Picture') : error
    })
    await charge(caller, 'general', 1)
    await takePlace(caller.credentialId, ctx.res)
    const picture = await getPicture(deps, actor, hash)
    if (picture === null) throw new NotFoundError('Picture')
    ctx.set(pictureHeaders())
    ctx.type = picture.contentType
    ctx.body = picture.bytes
  }
}
